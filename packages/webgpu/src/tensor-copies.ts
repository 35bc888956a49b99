import { GradstepError, identity, show, type ParameterCopy, type Tensor } from "@gradstep/core";
import { checkLength, propertyOf } from "@gradstep/core/internal";
import { passOf, type EncodeTarget } from "./commands/encode-target.js";
import { captureValidationError } from "./device/capture-validation-error.js";
import type { ErrorTracker } from "./device/error-tracker.js";
import { bufferUsage } from "./device/webgpu-constants.js";
import type { GpuTensor } from "./memory/gpu-tensor.js";
import type { RetainedMemory } from "./memory/retained-memory.js";
import { planCopyFilling } from "./planning/rows/copy-filling.js";
import { bindingLimitsOf } from "./planning/dispatch/dispatch.js";
import {
  compileTableKernel,
  OneShotDispatches,
  type TableKernel,
} from "./planning/dispatch/one-shot-dispatches.js";
import { copyProgram, emitCopyKernel } from "./shaders/copy-kernel.js";
import { kernelLayoutKey, type RowKernelLayout } from "./shaders/kernel-layout.js";
import { rowBindingsOf } from "./shaders/row-bindings.js";

/** The dispatches that fill one copy. */
interface Filling {
  readonly parameter: GpuTensor;
  readonly dispatches: readonly OneShotDispatches[];
}

/** What copies need of their backend. */
interface CopyContext {
  readonly device: GPUDevice;
  readonly errors: ErrorTracker;
  readonly retained: RetainedMemory;
  /** Whose tensors are copied. */
  readonly backend: object;
}

/** Copies tensors on a device, and fills copies of parameters, with one kernel per layout that occurs. */
export class TensorCopies {
  readonly #backend: object;
  readonly #device: GPUDevice;
  readonly #errors: ErrorTracker;
  readonly #retained: RetainedMemory;
  readonly #kernels = new Map<string, TableKernel>();
  readonly #fillings = new Map<ParameterCopy, Filling>();

  constructor({ backend, device, errors, retained }: CopyContext) {
    this.#backend = backend;
    this.#device = device;
    this.#errors = errors;
    this.#retained = retained;
  }

  /** As `WebGpu.fillCopy`. */
  fill(parameter: Tensor, copy: ParameterCopy): void {
    this.#submit("fill a copy", (encoder) => this.encodeFill(encoder, parameter, copy));
  }

  /** As `WebGpu.encodeFillCopy`. */
  encodeFill(recordInto: EncodeTarget, parameter: Tensor, copy: ParameterCopy): void {
    const [from, to] = this.#own("a parameter and its copy", [
      parameter,
      propertyOf(copy, "target") as Tensor,
    ]);
    from.checkLive();
    to.checkLive();
    record(this.#dispatchesOf(from, copy), recordInto);
  }

  /** As `WebGpu.copy`. */
  copy(source: Tensor, target: Tensor): void {
    const [from, to] = this.#own("two tensors", [source, target]);
    checkLength("The target", to.size, from.size);
    from.checkLive();
    to.checkLive();
    const isPlain = [from, to].every(({ layout }) => layout === undefined);
    if (!isPlain || from.memory.buffer === to.memory.buffer) {
      const dispatches = this.#prepare(from, { target: to, activation: identity });
      this.#submit("copy a tensor", (encoder) => record(dispatches, encoder));
      for (const one of dispatches) one.destroy();
      return;
    }
    from.checkUsage(bufferUsage.COPY_SRC, "copied", "COPY_SRC");
    to.checkUsage(bufferUsage.COPY_DST, "written to", "COPY_DST");
    const [read, written] = [from.memory, to.memory];
    this.#submit("copy a tensor", (encoder) =>
      encoder.copyBufferToBuffer(
        read.buffer,
        read.byteOffset,
        written.buffer,
        written.byteOffset,
        from.size * 4,
      ),
    );
  }

  /** Records commands, and submits them. @param purpose see `captureValidationError` */
  #submit(purpose: string, encode: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.#device.createCommandEncoder({ label: "gradstep copy" });
    encode(encoder);
    captureValidationError(this.#errors, purpose, () =>
      this.#device.queue.submit([encoder.finish()]),
    );
  }

  /** The tensors, if they are of this backend. @throws {GradstepError} `INVALID_PARAMETER` */
  #own(what: string, tensors: readonly Tensor[]): GpuTensor[] {
    for (const tensor of tensors) {
      if (propertyOf(tensor, "backend") !== this.#backend)
        throw new GradstepError(
          `Got ${show(tensor)} to copy; expected ${what}, both of this webgpu backend.`,
          { code: "INVALID_PARAMETER" },
        );
    }
    return tensors as unknown as GpuTensor[];
  }

  /**
   * The dispatches that fill a copy. They can be recorded until rows of one of the two move.
   * @throws {GradstepError} `LENGTH_MISMATCH`, `UNSUPPORTED`
   */
  #dispatchesOf(parameter: GpuTensor, copy: ParameterCopy): readonly OneShotDispatches[] {
    const known = this.#fillings.get(copy);
    if (known?.parameter === parameter) return known.dispatches;
    const filling = { parameter, dispatches: this.#prepare(parameter, copy) };
    this.#fillings.set(copy, filling);
    const tensors = [parameter, copy.target as unknown as GpuTensor];
    const cancels = tensors.map((tensor) =>
      tensor.whenInvalidated((recordedInto) => {
        for (const cancel of cancels) cancel();
        if (this.#fillings.get(copy) === filling) this.#fillings.delete(copy);
        if (recordedInto === undefined) for (const one of filling.dispatches) one.destroy();
        else this.#retained.keep(recordedInto, tensors, filling.dispatches);
      }),
    );
    return filling.dispatches;
  }

  #prepare(parameter: GpuTensor, copy: ParameterCopy): readonly OneShotDispatches[] {
    const limits = bindingLimitsOf(this.#device);
    return planCopyFilling(parameter, copy, limits).map(
      ({ layout, ...dispatch }) =>
        new OneShotDispatches(this.#device, this.#kernelOf(layout), [dispatch]),
    );
  }

  #kernelOf(layout: RowKernelLayout): TableKernel {
    const key = kernelLayoutKey(layout);
    const kernel =
      this.#kernels.get(key) ??
      compileTableKernel(this.#device, this.#errors, {
        label: "gradstep copy",
        code: emitCopyKernel(layout),
        arrays: rowBindingsOf(copyProgram, layout),
      });
    this.#kernels.set(key, kernel);
    return kernel;
  }
}

function record(dispatches: readonly OneShotDispatches[], recordInto: EncodeTarget): void {
  const { pass, end } = passOf(recordInto, "gradstep copy");
  for (const one of dispatches) one.record(pass);
  end();
}
