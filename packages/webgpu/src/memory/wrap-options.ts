import { bytesPerValue, GradstepError, show, type Layout, type WrapOptions } from "@gradstep/core";
import { checkOptions, checkScale, wrappedExtent } from "@gradstep/core/internal";
import { bufferUsage } from "../device/webgpu-constants.js";
import { propertiesOf, type BufferProperties } from "./buffer-properties.js";
import { checkFillsBuffer } from "./padded-rows.js";

/** Which part of a GPUBuffer a tensor covers, and how its values are stored. */
export interface GpuWrapOptions extends WrapOptions {
  /**
   * The type of a value: `f32` (the default); `f16`, two packed into each word, starting at any of them, for gradients and
   * copies; `u32`, for masks and indices; `i32` and `u32` with a `scale`, for gradients in fixed point. Offsets and strides
   * count values of this type. Parameters and slots are f32.
   */
  readonly dtype?: GpuDtype | undefined;
  /** Distance between the first values of adjacent rows, in values; the length of a row by default. */
  readonly rowStride?: number | undefined;
  /** For i32 and u32: a gradient is the stored integer times this, such as 1e-6. */
  readonly scale?: number | undefined;
}

/** The storage of a wrapped tensor. */
export interface WrappedStorage {
  readonly shape: readonly number[];
  readonly byteOffset: number;
  readonly layout: Layout;
  /** The number of rows that fit. */
  readonly capacity: number;
}

/** The types of values in a GPUBuffer. */
export type GpuDtype = Exclude<Layout["dtype"], "f64">;

const dtypes: readonly unknown[] = ["f32", "f16", "u32", "i32"] satisfies readonly GpuDtype[];

/**
 * Checks the arguments of `wrap`, and fills in the defaults.
 * @throws {GradstepError} `INVALID_MEMORY`, `INVALID_SHAPE`, `UNKNOWN_OPTION`
 */
export function wrappedStorage(memory: GPUBuffer, options: GpuWrapOptions): WrappedStorage {
  const { size } = storageProperties(memory);
  checkWrapOptions(options);
  const { dtype = "f32", scale = 1 } = options;
  const width = bytesPerValue[dtype];
  // A binding holds whole words.
  const length = Math.floor(size / 4) * (4 / width);
  const extent = wrappedExtent(length, options, "buffer", ` of ${width} bytes`);
  const { shape, columns, rowStride, capacity } = extent;
  const isPlain =
    options.offset === undefined &&
    options.rowStride === undefined &&
    options.capacity === undefined;
  if (isPlain)
    checkFillsBuffer({
      shape,
      rows: shape[0] ?? 1,
      columns,
      bytesPerValue: width,
      bufferLength: size,
    });
  return {
    shape,
    byteOffset: extent.offset * width,
    layout: { dtype, rowStride, scale },
    capacity,
  };
}

function checkWrapOptions(options: GpuWrapOptions): void {
  checkOptions("wrap", options, ["shape", "offset", "capacity", "dtype", "rowStride", "scale"]);
  const { dtype, scale } = options;
  if (dtype !== undefined && !dtypes.includes(dtype))
    throw new GradstepError(`Got dtype ${show(dtype)}; expected "f32", "f16", "u32" or "i32".`, {
      code: "INVALID_MEMORY",
    });
  checkScale(dtype ?? "f32", scale);
}

/** @throws {GradstepError} `INVALID_MEMORY` */
function storageProperties(memory: GPUBuffer): BufferProperties {
  const properties = propertiesOf(memory);
  if (properties === undefined) {
    throw new GradstepError(
      `Got ${show(memory)} to wrap; expected a GPUBuffer. For a typed array use backend.tensor(shape, values).`,
      { code: "INVALID_MEMORY" },
    );
  }
  if ((properties.usage & bufferUsage.STORAGE) === 0) {
    throw new GradstepError(
      `The GPUBuffer to wrap has usage ${properties.usage}; expected GPUBufferUsage.STORAGE in it.`,
      { code: "INVALID_MEMORY" },
    );
  }
  return properties;
}
