export type { SafetensorsSource } from "./chunks.js";
export {
  decodeSafetensors,
  readSafetensorsHeader,
  type DecodeOptions,
  type SafetensorsFile,
} from "./decode.js";
export type { Dtype, TypedArray } from "./dtypes.js";
export { encodeSafetensors, safetensorsSize, type EncodeOptions, type Progress } from "./encode.js";
export type { SafetensorsEntry } from "./entry.js";
export type { LayoutOptions } from "./file-layout.js";
export { floatValues } from "./half-floats.js";
export type { SafetensorsHeader, SafetensorsLayout } from "./header.js";
