import type { ErrorTracker } from "../../device/error-tracker.js";
import { gatherArrays, gatherKernel } from "../../shaders/gather-kernel.js";
import { scatterArrays, scatterKernel } from "../../shaders/scatter-kernel.js";
import { compileTableKernel, type TableKernel } from "../dispatch/one-shot-dispatches.js";

/** The kernels of remaps, compiled when they are first used. */
export class RemapKernels {
  readonly #device: GPUDevice;
  readonly #errors: ErrorTracker;
  #gather: TableKernel | undefined;
  #scatter: TableKernel | undefined;

  constructor(device: GPUDevice, errors: ErrorTracker) {
    this.#device = device;
    this.#errors = errors;
  }

  get gather(): TableKernel {
    return (this.#gather ??= compileTableKernel(this.#device, this.#errors, {
      label: "gradstep gather",
      code: gatherKernel,
      arrays: gatherArrays,
    }));
  }

  get scatter(): TableKernel {
    return (this.#scatter ??= compileTableKernel(this.#device, this.#errors, {
      label: "gradstep scatter",
      code: scatterKernel,
      arrays: scatterArrays,
    }));
  }
}
