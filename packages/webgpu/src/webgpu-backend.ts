import {
  checkValues,
  GradstepError,
  show,
  sizeOf,
  type Kernel,
  type RowMove,
  type RowSources,
  type StagingTensor,
  type Tensor,
  type Variant,
  type WrappingBackend,
} from "@gradstep/core";
import { Arenas, type Allocation } from "./memory/buffer-pools.js";
import type { BoundArray } from "./shaders/kernel-layout.js";
import { gatherArrays, gatherText } from "./shaders/gather-kernel.js";
import { GpuTensor, type TensorHost } from "./memory/gpu-tensor.js";
import { Guard } from "./device/error-tracker.js";
import { WebGpuKernel } from "./webgpu-kernel.js";
import { packArrays, packText, planPack } from "./planning/mirror-packing.js";
import { bindingLimits, type BindingLimits } from "./planning/dense-dispatches.js";
import { Readback } from "./memory/readback.js";
import { remap } from "./planning/row-remap.js";
import { SingleUse, tableKernel, type TableKernel } from "./planning/one-shot-dispatches.js";
import { wrapped, type GpuWrapOptions } from "./memory/wrap-options.js";

/** Where staged gradients are. */
const gradientLane = 1;

/** A backend on a GPUDevice. */
export interface WebGpu extends WrappingBackend<GPUBuffer> {
  /** The device that tensors and kernels live on. */
  readonly device: GPUDevice;
  /**
   * A tensor in the caller's buffer, from any multiple of four bytes on (`offset` counts values), or of two for f16. It
   * is updated in place, and no byte outside of it is touched. The buffer needs the usage STORAGE, and COPY_SRC for
   * `read`, COPY_DST for `write`; it stays the caller's.
   *
   * Packed f16, u32 and rows with gaps between them can be gradients (f32, f16), copies of parameters (f16), masks and
   * indices (u32). `read` decodes them, u32 into a Float64Array; `write` takes u32 without gaps.
   *
   * @throws {GradstepError} `INVALID_MEMORY`, `INVALID_SHAPE`, `UNKNOWN_OPTION`
   */
  wrap(memory: GPUBuffer, options?: GpuWrapOptions): Tensor;
  /**
   * Makes room for tensors of these sizes (in values): they come to lie in one buffer, which is one dispatch a step for
   * all of them. Without it, a model that is allocated tensor by tensor is three, up to 60 million parameters.
   *
   * @throws {GradstepError} `INVALID_SHAPE`
   */
  reserve(sizes: readonly number[], pool?: number): void;
  /** As `Backend` has it: indices and flags may be in a buffer that a shader has written and that nobody reads. */
  remap(moves: readonly RowMove[], sources: RowSources): void;
  /** Fills a packed copy, in a submit of its own. @throws {GradstepError} `LENGTH_MISMATCH`, `UNSUPPORTED`, `INVALID_MEMORY`, `INVALID_PARAMETER` */
  pack(source: Tensor, target: Tensor): void;
  /**
   * Resolves once everything that was allocated and compiled so far is known to exist. Without it, the first call after
   * the device has refused something throws instead.
   *
   * @throws {GradstepError} `OUT_OF_MEMORY`, `DEVICE_LOST`, `UNSUPPORTED`
   */
  ready(): Promise<void>;
  /**
   * Destroys every buffer that the backend made; and the device, if it made that. Buffers and a device of the caller
   * are left alone.
   */
  dispose(): void;
}

/** @internal */
export class WebGpuBackend implements WebGpu, TensorHost {
  readonly name = "webgpu";
  readonly precision = "f32";
  readonly exact = false;
  readonly device: GPUDevice;
  readonly #ownsDevice: boolean;
  readonly #guard: Guard;
  readonly #arenas: Arenas;
  readonly #readback: Readback;
  readonly #kernels = new Map<string, WebGpuKernel>();
  #gather: TableKernel | undefined;
  #pack: TableKernel | undefined;

  /** @throws {GradstepError} `INVALID_MEMORY` */
  constructor(device: GPUDevice, ownsDevice: boolean) {
    // Not `instanceof`: a device may be of another realm, or of a runtime without the global.
    if (typeof device?.queue !== "object")
      throw new GradstepError(
        `Got ${show(device)} as the device; expected a GPUDevice, such as await adapter.requestDevice().`,
        { code: "INVALID_MEMORY" },
      );
    this.device = device;
    this.#ownsDevice = ownsDevice;
    this.#guard = new Guard(device);
    this.#arenas = new Arenas(device, this.#guard);
    this.#readback = new Readback(device, this.#guard);
  }

  tensor(shape: readonly number[], values?: ArrayLike<number>, pool = 0): Tensor {
    const size = sizeOf(shape);
    if (values !== undefined) checkValues(values, size);
    const tensor = this.#allocate(shape, size, pool);
    if (values !== undefined) tensor.write(values);
    return tensor;
  }

  reserve(sizes: readonly number[], pool = 0): void {
    this.check();
    const isValid =
      Array.isArray(sizes) && sizes.every((size) => Number.isSafeInteger(size) && size >= 0);
    if (!isValid)
      throw new GradstepError(
        `Got ${show(sizes)} to reserve; expected an array of integers, the numbers of values.`,
        { code: "INVALID_SHAPE" },
      );
    this.#arenas.reserve(
      sizes.map((size) => size * 4),
      pool,
    );
  }

  staging(shape: readonly number[]): StagingTensor {
    return this.#allocate(shape, sizeOf(shape), gradientLane);
  }

  wrap(memory: GPUBuffer, options: GpuWrapOptions = {}): Tensor {
    this.check();
    const { shape, ...place } = wrapped(memory, options);
    return new GpuTensor(this, shape, { buffer: memory, ...place });
  }

  remap(moves: readonly RowMove[], sources: RowSources): void {
    this.check();
    remap(
      {
        device: this.device,
        guard: this.#guard,
        arenas: this.#arenas,
        limits: this.#limits,
        kernel: () => (this.#gather ??= this.#tableKernel("gather", gatherText, gatherArrays)),
      },
      moves,
      sources,
    );
  }

  pack(source: Tensor, target: Tensor): void {
    for (const tensor of [source, target]) {
      if (tensor?.backend !== this)
        throw new GradstepError(
          `Got ${show(tensor)} to pack; expected a tensor of the same webgpu backend, and one for its copy.`,
          { code: "INVALID_PARAMETER" },
        );
    }
    const [from, to] = [source, target] as unknown as GpuTensor[];
    from.checkLive();
    to.checkLive();
    const dispatches = planPack(from, to, this.#limits);
    this.#pack ??= this.#tableKernel("pack", packText, packArrays);
    const work = new SingleUse(this.device, this.#pack, dispatches);
    const encoder = this.device.createCommandEncoder({ label: "gradstep pack" });
    const pass = encoder.beginComputePass();
    work.record(pass);
    pass.end();
    this.device.queue.submit([encoder.finish()]);
    work.release();
  }

  compile(variant: Variant): Kernel {
    this.check();
    // What is computed, and the order in which slots and scalars arrive.
    const key = JSON.stringify([
      variant.perElement.fingerprint,
      variant.slots.map(({ name }) => name),
      variant.scalars,
    ]);
    const kernel = this.#kernels.get(key) ?? new WebGpuKernel(this.device, this.#guard, variant);
    this.#kernels.set(key, kernel);
    return kernel;
  }

  ready(): Promise<void> {
    return this.#guard.settle();
  }

  dispose(): void {
    this.#guard.dispose();
    for (const kernel of this.#kernels.values()) kernel.release();
    this.#kernels.clear();
    this.#arenas.destroy();
    this.#readback.destroy();
    if (this.#ownsDevice) this.device.destroy();
  }

  check(): void {
    this.#guard.check();
  }

  upload(buffer: GPUBuffer, byteOffset: number, values: Float32Array | Uint32Array): void {
    this.check();
    this.device.queue.writeBuffer(buffer, byteOffset, values);
  }

  download(buffer: GPUBuffer, byteOffset: number, byteLength: number): Promise<ArrayBuffer> {
    return this.#readback.read(buffer, byteOffset, byteLength);
  }

  release(allocation: Allocation): void {
    this.#arenas.free(allocation);
  }

  get #limits(): BindingLimits {
    return bindingLimits(this.device);
  }

  #tableKernel(name: string, code: string, arrays: readonly BoundArray[]): TableKernel {
    return tableKernel(this.device, this.#guard, `gradstep ${name}`, code, arrays);
  }

  #allocate(shape: readonly number[], size: number, pool: number): GpuTensor {
    this.check();
    return new GpuTensor(this, shape, { allocation: this.#arenas.allocate(size * 4, pool) });
  }
}
