import {
  checkVariant,
  guardSteps,
  sizeOf,
  type BatchRun,
  type GuardOptions,
  type ParameterCopy,
  type RowMove,
  type RowSources,
  type StagingTensor,
  type Tensor,
  type Variant,
} from "@gradstep/core";
import { checkValues } from "@gradstep/core/internal";
import { captureValidationError } from "./device/capture-validation-error.js";
import { ErrorTracker } from "./device/error-tracker.js";
import { checkDevice, checkGpuTensor, checkRemap, checkSizes } from "./memory/argument-checks.js";
import { BufferPools } from "./memory/buffer-pools.js";
import type { Allocation } from "./memory/pool-buffer.js";
import { GpuTensor, type TensorHost } from "./memory/gpu-tensor.js";
import { GpuGuard } from "./gpu-guard.js";
import { ownBufferUsage, type OwnBufferOptions } from "./memory/own-buffer-options.js";
import { RetainedMemory } from "./memory/retained-memory.js";
import { Readback } from "./memory/readback.js";
import { wordTensor } from "./memory/word-tensor.js";
import { wrappedStorage, type GpuWrapOptions } from "./memory/wrap-options.js";
import { bindingLimitsOf } from "./planning/dispatch/dispatch.js";
import { RemapKernels } from "./planning/remap/remap-kernels.js";
import { remapRows, type RemapContext } from "./planning/remap/row-remap.js";
import { RefusedStepDetector } from "./planning/step/refused-step-detector.js";
import type { StepRun } from "./planning/step/step-plan.js";
import { checkTarget, type EncodeTarget } from "./commands/encode-target.js";
import { StepPlans } from "./planning/step/step-plans.js";
import { TensorCopies } from "./tensor-copies.js";
import { kernelKeyOf, WebGpuKernel } from "./webgpu-kernel.js";
import type { WebGpu, WebGpuTensor } from "./webgpu.js";

/** The buffer pool of staged gradients. */
const gradientPool = 1;

/**
 * The implementation of `WebGpu`.
 * @internal
 */
export class WebGpuBackend implements WebGpu, TensorHost {
  readonly name = "webgpu";
  readonly precision = "f32";
  readonly exact = false;
  readonly takesLayouts = true;
  readonly takesSignals = true;
  readonly guardSteps = guardSteps;
  readonly device: GPUDevice;
  readonly #ownsDevice: boolean;
  readonly #errors: ErrorTracker;
  readonly #pools: BufferPools;
  readonly #retained = new RetainedMemory();
  readonly #readback: Readback;
  readonly #refusedSteps: RefusedStepDetector;
  readonly #kernels = new Map<string, WebGpuKernel>();
  /** Steps of several rules. */
  readonly #together: StepPlans;
  readonly #guards = new Set<GpuGuard>();
  readonly #remaps: RemapContext;
  readonly #copies: TensorCopies;

  /** @throws {GradstepError} `INVALID_MEMORY` */
  constructor(device: GPUDevice, ownsDevice: boolean) {
    checkDevice(device);
    this.device = device;
    this.#ownsDevice = ownsDevice;
    this.#errors = new ErrorTracker(device);
    this.#pools = new BufferPools(device, this.#errors);
    this.#copies = new TensorCopies({
      backend: this,
      device,
      errors: this.#errors,
      retained: this.#retained,
    });
    this.#remaps = {
      device,
      errors: this.#errors,
      pools: this.#pools,
      limits: bindingLimitsOf(device),
      kernels: new RemapKernels(device, this.#errors),
      retained: this.#retained,
    };
    this.#readback = new Readback(device, this.#errors);
    this.#together = new StepPlans({ device, errors: this.#errors });
    this.#refusedSteps = new RefusedStepDetector(device, this.#errors, () => [
      ...[...this.#kernels.values()].flatMap((kernel) => kernel.takeExecutedPlans()),
      ...this.#together.takeExecuted(),
      ...[...this.#guards].flatMap((guard) => guard.takeExecutedPlans()),
    ]);
  }

  tensor(
    shape: readonly number[],
    values?: ArrayLike<number>,
    placement: number | OwnBufferOptions = 0,
  ): WebGpuTensor {
    const size = sizeOf(shape);
    if (values !== undefined) checkValues(values, size);
    const tensor =
      typeof placement === "number"
        ? this.#allocate(shape, size, placement)
        : this.#allocateBuffer(shape, size, placement);
    if (values !== undefined) tensor.write(values);
    return tensor;
  }

  reserve(sizes: readonly number[], pool = 0): void {
    this.check();
    checkSizes(sizes);
    this.#pools.reserve(
      sizes.map((size) => size * 4),
      pool,
    );
  }

  staging(shape: readonly number[]): StagingTensor {
    return this.#allocate(shape, sizeOf(shape), gradientPool);
  }

  wrap(memory: GPUBuffer, options: GpuWrapOptions = {}): WebGpuTensor {
    this.check();
    const { shape, byteOffset, layout, capacity } = wrappedStorage(memory, options);
    return new GpuTensor(this, shape, { buffer: memory, byteOffset, layout, capacity });
  }

  remap(moves: readonly RowMove[], sources: RowSources): void {
    this.check();
    checkRemap(moves, sources);
    remapRows(this.#remaps, moves, sources);
  }

  encodeRemap(target: EncodeTarget, moves: readonly RowMove[], sources: RowSources): void {
    this.check();
    checkTarget(target);
    checkRemap(moves, sources);
    remapRows(this.#remaps, moves, sources, target);
  }

  rowLimit(count: Tensor | number): Tensor {
    this.check();
    if (typeof count === "number")
      return wordTensor(this, [1], { buffer: this.#wordBuffer(count), byteOffset: 0 }, 0);
    checkGpuTensor("The number of rows", count);
    return wordTensor(this, [1], (count as WebGpuTensor).memory, 0);
  }

  maskOf(flags: Tensor): Tensor {
    this.check();
    checkGpuTensor("The flags", flags);
    return wordTensor(this, flags.shape, (flags as WebGpuTensor).memory, 1);
  }

  fillCopy(parameter: Tensor, copy: ParameterCopy): void {
    this.#copies.fill(parameter, copy);
  }

  encodeFillCopy(recordInto: EncodeTarget, parameter: Tensor, copy: ParameterCopy): void {
    this.#copies.encodeFill(recordInto, parameter, copy);
  }

  copy(source: Tensor, target: Tensor): void {
    this.#copies.copy(source, target);
  }

  scatter(values: Float32Array, target: GpuTensor): void {
    checkGpuTensor("The target", target);
    const source = this.tensor(target.shape, values);
    try {
      this.copy(source, target);
    } finally {
      source.free();
    }
  }

  runTogether(runs: readonly BatchRun[]): void {
    this.#together.run(runs as readonly StepRun[]);
  }

  encodeTogether(target: EncodeTarget, runs: readonly BatchRun[]): void {
    this.#together.encode(target, runs as readonly StepRun[]);
  }

  guard(options: GuardOptions): GpuGuard {
    this.check();
    const guard = new GpuGuard(this, this.#errors, options, () => this.#guards.delete(guard));
    this.#guards.add(guard);
    return guard;
  }

  compile(variant: Variant): WebGpuKernel {
    this.check();
    checkVariant(variant);
    const key = kernelKeyOf(variant);
    const kernel = this.#kernels.get(key) ?? new WebGpuKernel(this.device, this.#errors, variant);
    this.#kernels.set(key, kernel);
    return kernel;
  }

  async ready(): Promise<void> {
    const throwIfRefused = this.#refusedSteps.start();
    await this.#errors.roundTrip();
    // The error is kept for `drainErrors`.
    await throwIfRefused().catch(() => {});
    await this.#errors.drainErrors();
  }

  dispose(): void {
    this.#errors.dispose();
    for (const kernel of this.#kernels.values()) kernel.destroy();
    this.#kernels.clear();
    this.#together.destroy();
    for (const guard of this.#guards) guard.dispose();
    this.#retained.destroy();
    this.#pools.destroy();
    this.#readback.destroy();
    if (this.#ownsDevice) this.device.destroy();
  }

  check(): void {
    this.#errors.check();
  }

  upload(
    buffer: GPUBuffer,
    byteOffset: number,
    values: Float32Array | Uint32Array,
    isWrapped: boolean,
  ): void {
    this.check();
    const write = (): void => this.device.queue.writeBuffer(buffer, byteOffset, values);
    if (isWrapped) captureValidationError(this.#errors, "write to a wrapped buffer", write);
    else write();
  }

  async download(buffer: GPUBuffer, byteOffset: number, byteLength: number): Promise<ArrayBuffer> {
    const throwIfRefused = this.#refusedSteps.start();
    const bytes = await this.#readback.read(buffer, byteOffset, byteLength);
    await throwIfRefused();
    return bytes;
  }

  free(allocation: Allocation): void {
    this.#retained.releaseFreed();
    this.#pools.free(allocation);
  }

  /** A buffer with one u32. It lives as long as the backend: work that was encoded may need it. */
  #wordBuffer(word: number): GPUBuffer {
    const { buffer } = this.#pools.allocateBuffer(4, 0);
    this.device.queue.writeBuffer(buffer, 0, Uint32Array.of(word));
    return buffer;
  }

  #allocateBuffer(shape: readonly number[], size: number, options: OwnBufferOptions): GpuTensor {
    this.check();
    const usage = ownBufferUsage(options);
    return new GpuTensor(this, shape, { allocation: this.#pools.allocateBuffer(size * 4, usage) });
  }

  #allocate(shape: readonly number[], size: number, pool: number): GpuTensor {
    this.check();
    return new GpuTensor(this, shape, { allocation: this.#pools.allocate(size * 4, pool) });
  }
}
