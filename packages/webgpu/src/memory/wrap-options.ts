import {
  checkOptions,
  GradstepError,
  show,
  sizeOf,
  type Layout,
  type WrapOptions,
} from "@gradstep/core";
import { bufferUsage } from "../device/webgpu-constants.js";

/** Which part of a GPUBuffer a tensor covers, and what is in it. */
export interface GpuWrapOptions extends WrapOptions {
  /**
   * What a value is: `f32`, the default; `f16`, packed in pairs into words, at any of them; `u32`, for masks and
   * indices. Offsets and strides count values of this type. Parameters are f32 without gaps.
   */
  readonly dtype?: Layout["dtype"];
  /** From the first value of a row to the first of the next, in values; the length of a row if left out. */
  readonly rowStride?: number;
}

/** Where and how the values of a tensor lie. */
export interface Wrapped {
  readonly shape: readonly number[];
  readonly byteOffset: number;
  readonly layout: Layout;
  /** Rows for which there is room. */
  readonly capacity: number;
}

const bytes: Readonly<Record<Layout["dtype"], number>> = { f32: 4, f16: 2, u32: 4 };

/**
 * Checks what a caller wants to wrap.
 * @throws {GradstepError} `INVALID_MEMORY`, `INVALID_SHAPE`, `UNKNOWN_OPTION`
 */
export function wrapped(memory: GPUBuffer, options: GpuWrapOptions): Wrapped {
  checkBuffer(memory);
  checkWrapOptions(options);
  const { dtype = "f32", offset = 0 } = options;
  const width = bytes[dtype];
  // What a binding can hold: whole words.
  const length = Math.floor(memory.size / 4) * (4 / width);
  if (!Number.isSafeInteger(offset) || offset < 0 || offset >= length) {
    throw new GradstepError(
      `Got offset ${show(offset)}; expected an integer from 0 to ${length - 1}, counted in values of ${width} bytes.`,
      { code: "INVALID_MEMORY" },
    );
  }
  if (options.shape === undefined && options.rowStride !== undefined) {
    throw new GradstepError(
      `Got a rowStride without a shape; expected both, such as { shape: [rows, 3], rowStride: 16 }.`,
      { code: "INVALID_SHAPE" },
    );
  }
  const shape = options.shape ?? [length - offset];
  const rowLength = sizeOf(shape) / (shape[0] ?? 1);
  const rows = shape[0] ?? 1;
  const rowStride = options.rowStride ?? rowLength;
  if (!Number.isSafeInteger(rowStride) || rowStride < rowLength) {
    throw new GradstepError(
      `Got rowStride ${show(rowStride)}; expected an integer of at least ${rowLength}, the length of a row of shape [${shape.join(", ")}].`,
      { code: "INVALID_MEMORY" },
    );
  }
  const capacity = options.capacity ?? rows;
  if (!Number.isSafeInteger(capacity) || capacity < rows || (shape.length === 0 && capacity > 1)) {
    throw new GradstepError(
      `Got capacity ${show(capacity)}; expected an integer, at least the ${rows} rows of shape [${shape.join(", ")}].`,
      { code: "INVALID_MEMORY" },
    );
  }
  const needed = offset + (capacity - 1) * rowStride + rowLength;
  if (needed > length) {
    const room = capacity > rows ? ` and a capacity of ${capacity} rows` : "";
    throw new GradstepError(
      `Shape [${shape.join(", ")}]${room} at offset ${offset} needs ${needed} values of ${width} bytes; the buffer has ${length}. Make the buffer larger, or the ${room === "" ? "shape" : "capacity"} smaller.`,
      { code: "INVALID_MEMORY" },
    );
  }
  return { shape, byteOffset: offset * width, layout: { dtype, rowStride }, capacity };
}

function checkWrapOptions(options: GpuWrapOptions): void {
  checkOptions("wrap", options, ["shape", "offset", "capacity", "dtype", "rowStride"]);
  const { dtype } = options;
  if (dtype !== undefined && !Object.hasOwn(bytes, dtype))
    throw new GradstepError(`Got dtype ${show(dtype)}; expected "f32", "f16" or "u32".`, {
      code: "INVALID_MEMORY",
    });
}

function checkBuffer(memory: GPUBuffer): void {
  // Not `instanceof`: a buffer may be of another realm, or of a runtime without the global.
  const isBuffer =
    memory !== null && typeof memory === "object" && "mapAsync" in memory && "usage" in memory;
  if (!isBuffer) {
    throw new GradstepError(
      `Got ${show(memory)} to wrap; expected a GPUBuffer. For a typed array use backend.tensor(shape, values).`,
      { code: "INVALID_MEMORY" },
    );
  }
  if ((memory.usage & bufferUsage.STORAGE) === 0) {
    throw new GradstepError(
      `The GPUBuffer to wrap has usage ${memory.usage}; expected GPUBufferUsage.STORAGE in it.`,
      { code: "INVALID_MEMORY" },
    );
  }
}
