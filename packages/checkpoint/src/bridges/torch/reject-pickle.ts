import { GradstepError } from "@gradstep/core";
import { isInstance, propertyOf } from "@gradstep/core/internal";
import { platformClass } from "../../platform-class.js";
import type { SafetensorsSource } from "../../safetensors/index.js";
import type { ByteSource } from "../../stores/store.js";

/**
 * Does nothing unless the source starts as the files of `torch.save` do, as a zip archive or a pickle, or is a `.keras`
 * file.
 *
 * @param cause the error of the safetensors codec
 * @throws {GradstepError} `INVALID_FILE`
 */
export async function rejectPickle(source: SafetensorsSource, cause: unknown): Promise<void> {
  const bytes = await firstBytes(source);
  const [first, second, third] = bytes;
  const isZip = first === 0x50 && second === 0x4b && third === 0x03;
  const isPickle = first === 0x80 && second >= 2 && second <= 5;
  if (!isZip && !isPickle) return;
  if (isZip && isKeras(bytes))
    throw new GradstepError(
      "Got a .keras file; expected a safetensors file of PyTorch. Read it with readKeras of @gradstep/keras.",
      { code: "INVALID_FILE", cause },
    );
  throw new GradstepError(
    "Got a file of torch.save, a pickle, which can run any code when it is read; expected a safetensors file. Load it in PyTorch, and save it with save() of scripts/bridges/torch_checkpoint.py.",
    { code: "INVALID_FILE", cause },
  );
}

/** Whether the first entry of an archive has a name that `.keras` files have, and those of `torch.save` do not. */
function isKeras(archive: Uint8Array): boolean {
  const length = archive[26] + archive[27] * 256;
  const name = new (platformClass("TextDecoder"))().decode(archive.subarray(30, 30 + length));
  return ["metadata.json", "config.json", "model.weights.h5"].includes(name);
}

/** How many bytes of a file tell its kind. */
const headLength = 64;

async function firstBytes(source: SafetensorsSource): Promise<Uint8Array> {
  if (isInstance(source, Uint8Array)) return source.subarray(0, headLength);
  if (isInstance(source, ArrayBuffer)) return new Uint8Array(source).subarray(0, headLength);
  // Something else, such as a path: the codec's error says what it takes.
  if (typeof propertyOf(source, "stream") !== "function") return new Uint8Array(0);
  const bytes: number[] = [];
  const reader = (source as ByteSource).stream().getReader();
  try {
    while (bytes.length < headLength) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes.push(...value.subarray(0, headLength - bytes.length));
    }
  } finally {
    await reader.cancel();
  }
  return Uint8Array.from(bytes);
}
