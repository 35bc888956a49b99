import type {
  BatchRun,
  MemoryRange,
  ParameterCopy,
  RowMove,
  RowSources,
  Tensor,
  WrappingBackend,
} from "@gradstep/core";
import type { EncodeTarget } from "./commands/encode-target.js";
import type { OwnBufferOptions } from "./memory/own-buffer-options.js";
import type { GpuWrapOptions } from "./memory/wrap-options.js";

/** A tensor in a GPUBuffer. */
export interface WebGpuTensor extends Tensor {
  readonly backend: WebGpu;
  /** The range of the buffer. It changes when rows are remapped. */
  readonly memory: GpuMemoryRange;
}

/** A range of a GPUBuffer. */
export interface GpuMemoryRange extends MemoryRange {
  readonly buffer: GPUBuffer;
}

/** A backend on a GPUDevice. */
export interface WebGpu extends WrappingBackend<GPUBuffer> {
  /** The device of the tensors and kernels. */
  readonly device: GPUDevice;
  tensor(shape: readonly number[], values?: ArrayLike<number>, pool?: number): WebGpuTensor;
  /**
   * The same in a GPUBuffer of its own, from its first byte to its last: for shaders that bind several tensors with
   * different access, and for libraries that take whole buffers. If `remap` makes it grow, the tensor has a new buffer
   * (`memory.buffer`) with space for at least half as many rows more, and the old one is destroyed.
   * @throws {GradstepError} as above, and `UNKNOWN_OPTION`, `INVALID_MEMORY` (a usage that storage buffers cannot have)
   */
  tensor(
    shape: readonly number[],
    values: ArrayLike<number> | undefined,
    options: OwnBufferOptions,
  ): WebGpuTensor;
  /**
   * A tensor in a caller-owned buffer. `offset` counts values: a tensor starts at any multiple of four bytes, or of two
   * bytes for f16. Updates are made in place, and no byte outside of the tensor is written. The buffer needs the usage
   * STORAGE, `read` and slots that start as a copy of the tensor need COPY_SRC, `write` needs COPY_DST. Do not destroy the
   * buffer before the tensor is freed.
   *
   * f32, with or without gaps between rows, can be used for anything; f16 for gradients and copies; i32 and u32 with a
   * scale for gradients in fixed point; u32 for masks and indices. `read` decodes them, u32 into a Float64Array; `write` takes f32 and f16, and
   * u32 without gaps.
   *
   * @throws {GradstepError} `INVALID_MEMORY`, `INVALID_SHAPE`, `UNKNOWN_OPTION`
   */
  wrap(memory: GPUBuffer, options?: GpuWrapOptions): WebGpuTensor;
  /**
   * Allocates one buffer for tensors of these sizes, in values, so that they need one dispatch per step. Without it, a
   * model that is allocated tensor by tensor needs up to three, for up to 60 million parameters.
   *
   * @throws {GradstepError} `INVALID_SHAPE`
   */
  reserve(sizes: readonly number[], pool?: number): void;
  /** As in `Backend`. Indices and flags can be in a buffer that a shader has written; they are not read back. */
  remap(moves: readonly RowMove[], sources: RowSources): void;
  /** As `remap`, recorded into what the caller submits. @throws {GradstepError} as `remap`, and `UNSUPPORTED` */
  encodeRemap(target: EncodeTarget, moves: readonly RowMove[], sources: RowSources): void;
  /**
   * Copies all values of a tensor to another one of equal size, in a submit of its own. The tensors must not overlap.
   * @throws {GradstepError} `LENGTH_MISMATCH`, `UNSUPPORTED`, `INVALID_MEMORY`, `INVALID_PARAMETER`
   */
  copy(source: Tensor, target: Tensor): void;
  /**
   * Fills a copy, in a submit of its own.
   * @throws {GradstepError} `LENGTH_MISMATCH`, `UNSUPPORTED`, `INVALID_MEMORY`, `INVALID_PARAMETER`
   */
  fillCopy(parameter: Tensor, copy: ParameterCopy): void;
  /** Fills a copy in what the caller submits. @throws {GradstepError} as `fillCopy`; `UNSUPPORTED` for another target */
  encodeFillCopy(target: EncodeTarget, parameter: Tensor, copy: ParameterCopy): void;
  /** As in `Backend`. @throws {GradstepError} `UNSUPPORTED` for another kind of target */
  encodeTogether(target: EncodeTarget, runs: readonly BatchRun[]): void;
  /**
   * Resolves once the device has processed everything so far: allocations, compilations and steps. Without it, errors
   * of the device are thrown by later calls.
   *
   * @throws {GradstepError} the first error since the last call: `OUT_OF_MEMORY`, `DEVICE_LOST`, `UNSUPPORTED`, or
   * `INVALID_MEMORY` if a wrapped buffer was destroyed that a step, read, write or remap needed
   */
  ready(): Promise<void>;
  /** Destroys the buffers of the backend, and its device unless that is the caller's. Wrapped buffers are kept. */
  dispose(): void;
}
