import type { Backend, Tensor } from "./backend.js";
import type { Layout, Values } from "./memory.js";
import type { WrapOptions } from "./wrapping-backend.js";
import { checkOptions } from "../argument-checks/check-options.js";
import { GradstepError, show } from "../errors.js";
import { arrayTypeOf, type Precision } from "../language/precision.js";
import type { HostArray } from "./host-array.js";
import { LaidOutTensor, type GrowingMemory } from "./laid-out-tensor.js";
import { checkScale } from "./layout.js";
import { sizeOf } from "./shape.js";
import { wrappedExtent } from "./wrapped-extent.js";

/** How a backend makes plain tensors, and the memory that it has. */
export interface ArrayWrapping<T extends Values, R extends Tensor> {
  /**
   * Makes a plain tensor of values, and of the array that begins with them and continues with the capacity; undefined if
   * it must not be plain.
   */
  readonly makePlain: (shape: readonly number[], values: T, reserved: T) => R | undefined;
  /** Memory that can grow: tensors in it stay usable. None if left out. */
  readonly growing?: GrowingMemory;
}

const dtypes: Readonly<Record<string, Layout["dtype"]>> = {
  Float32Array: "f32",
  Float64Array: "f64",
  Uint16Array: "f16",
  Uint32Array: "u32",
  Int32Array: "i32",
};

/**
 * A tensor of memory of the caller: a plain one of floats without gaps between rows, a `LaidOutTensor` of everything else.
 * @throws {GradstepError} `INVALID_MEMORY`, `INVALID_SHAPE`, `UNKNOWN_OPTION`
 */
export function wrappedTensor<T extends Values, R extends Tensor>(
  backend: Backend,
  memory: HostArray,
  options: WrapOptions = {},
  { makePlain, growing }: ArrayWrapping<T, R>,
): R | LaidOutTensor {
  const { precision } = backend;
  const dtype = dtypeOf(memory, precision);
  checkOptions("wrap", options, ["shape", "offset", "capacity", "dtype", "rowStride", "scale"]);
  if (options.dtype !== undefined && options.dtype !== dtype) {
    throw new GradstepError(
      `Got dtype ${show(options.dtype)} for ${show(memory)}; expected "${dtype}", or an array of another type.`,
      { code: "INVALID_MEMORY" },
    );
  }
  checkScale(dtype, options.scale);
  const { shape, offset, columns, rowStride, capacity } = wrappedExtent(memory.length, options);
  const length = (capacity - 1) * rowStride + columns;
  if (dtype === precision && rowStride === columns) {
    const values = memory.subarray(offset, offset + sizeOf(shape)) as T;
    const plain = makePlain(shape, values, memory.subarray(offset, offset + length) as T);
    if (plain !== undefined) return plain;
  }
  const layout = { dtype, rowStride, scale: Math.fround(options.scale ?? 1) };
  const stored = memory.subarray(offset, offset + length);
  const isInside = growing !== undefined && memory.buffer === growing.buffer;
  return new LaidOutTensor(backend, shape, layout, stored, isInside ? growing : undefined);
}

/** @throws {GradstepError} `INVALID_MEMORY` */
function dtypeOf(memory: unknown, precision: Precision): Layout["dtype"] {
  const own = arrayTypeOf(precision).name;
  const kind = ArrayBuffer.isView(memory) ? (memory as HostArray)[Symbol.toStringTag] : "";
  const isOther = kind.startsWith("Float") && kind !== own;
  if (!Object.hasOwn(dtypes, kind) || isOther) {
    throw new GradstepError(
      `Got ${show(memory)} to wrap; expected a ${own}. Convert it with new ${own}(values). Gradients and copies can be of Uint16Array (f16), gradients in fixed point and masks of Int32Array and Uint32Array.`,
      { code: "INVALID_MEMORY" },
    );
  }
  if ((memory as HostArray).length === 0) {
    throw new GradstepError(
      `Got an empty ${kind} to wrap; expected at least one value. An array is empty after its buffer was transferred.`,
      { code: "INVALID_MEMORY" },
    );
  }
  return dtypes[kind];
}
