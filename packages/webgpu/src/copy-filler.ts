import type { ParameterCopy } from "@gradstep/core";
import type { ErrorTracker } from "./device/error-tracker.js";
import type { GpuTensor } from "./memory/gpu-tensor.js";
import { planCopyFilling } from "./planning/copy-filling.js";
import { bindingLimitsOf } from "./planning/dispatch.js";
import {
  compileTableKernel,
  OneShotDispatches,
  type TableKernel,
} from "./planning/one-shot-dispatches.js";
import { copyProgram, emitCopyKernel } from "./shaders/copy-kernel.js";
import { kernelLayoutKey, type RowKernelLayout } from "./shaders/kernel-layout.js";
import { rowBindingsOf } from "./shaders/row-bindings.js";

/** Fills copies of tensors on a device, with one kernel per layout that occurs. */
export class CopyFiller {
  readonly #device: GPUDevice;
  readonly #errors: ErrorTracker;
  readonly #kernels = new Map<string, TableKernel>();

  constructor(device: GPUDevice, errors: ErrorTracker) {
    this.#device = device;
    this.#errors = errors;
  }

  /**
   * Prepares the dispatches that fill a copy. To be destroyed when they were submitted.
   * @throws {GradstepError} `LENGTH_MISMATCH`, `UNSUPPORTED`
   */
  prepare(parameter: GpuTensor, copy: ParameterCopy): readonly OneShotDispatches[] {
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
      compileTableKernel(
        this.#device,
        this.#errors,
        "gradstep copy",
        emitCopyKernel(layout),
        rowBindingsOf(copyProgram, layout),
      );
    this.#kernels.set(key, kernel);
    return kernel;
  }
}
