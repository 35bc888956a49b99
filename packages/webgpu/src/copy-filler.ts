import type { ParameterCopy } from "@gradstep/core";
import type { ErrorTracker } from "./device/error-tracker.js";
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

/** Fills copies of tensors on a device, with one kernel per layout that occurs. */
export class CopyFiller {
  readonly #device: GPUDevice;
  readonly #errors: ErrorTracker;
  readonly #retained: RetainedMemory;
  readonly #kernels = new Map<string, TableKernel>();
  readonly #fillings = new Map<ParameterCopy, Filling>();

  constructor(device: GPUDevice, errors: ErrorTracker, retained: RetainedMemory) {
    this.#device = device;
    this.#errors = errors;
    this.#retained = retained;
  }

  /**
   * The dispatches that fill a copy. They can be recorded until rows of one of the two move.
   * @throws {GradstepError} `LENGTH_MISMATCH`, `UNSUPPORTED`
   */
  dispatchesOf(parameter: GpuTensor, copy: ParameterCopy): readonly OneShotDispatches[] {
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
