import type { Backend, Tensor } from "./backend.js";
import type { Layout } from "./memory.js";

/** A backend that can work on caller-owned memory. `M` is its type: an array, a GPUBuffer, … */
export interface WrappingBackend<M> extends Backend {
  /**
   * A tensor over caller-owned memory, which is updated in place.
   *
   * @param options.shape all values from `offset` on, in one dimension, if left out. The memory may be longer: what follows
   * is left alone. WebGPU asks for `rowStride`, `capacity` or `offset` where rows may be padded, as those of `array<vec3f>` are
   * @param options.offset number of values to skip; 0 if left out
   * @param options.capacity number of rows to which the tensor may grow; the rows of the shape if left out
   * @param options.rowStride distance between the first values of adjacent rows; the length of a row if left out
   * @param options.dtype the type of the values, where the memory does not have one: `"f16"` for a Uint16Array
   * @param options.scale for gradients in fixed point: a value is the stored integer times this
   * @throws {GradstepError} `INVALID_MEMORY`, `INVALID_SHAPE`
   */
  wrap(memory: M, options?: WrapOptions): Tensor;
}

/** The part of caller-owned memory that a tensor covers. */
export interface WrapOptions {
  readonly shape?: readonly number[] | undefined;
  readonly offset?: number | undefined;
  readonly capacity?: number | undefined;
  readonly dtype?: Layout["dtype"] | undefined;
  readonly rowStride?: number | undefined;
  readonly scale?: number | undefined;
}
