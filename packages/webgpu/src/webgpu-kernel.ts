import type { Kernel, Update, Variant } from "@gradstep/core";
import { isElementwise } from "@gradstep/core/internal";
import type { ErrorTracker } from "./device/error-tracker.js";
import type { InputPlan } from "./planning/step/input-plan.js";
import type { StepProgram, StepRun } from "./planning/step/step-plan.js";
import { emitDenseKernel } from "./shaders/dense-kernel.js";
import { defaultKernelLayout, scalarSetLength } from "./shaders/kernel-layout.js";
import type { KernelProgram } from "./shaders/kernel-program.js";
import { emitMatrixReductionKernel } from "./shaders/matrix-reduction-kernel.js";
import { emitNewtonSchulzKernel } from "./shaders/newton-schulz-kernel.js";
import { newtonSchulzStages } from "./shaders/newton-schulz-stages.js";
import { plainRowLayout } from "./shaders/row-bindings.js";
import { emitRowKernel } from "./shaders/row-kernel.js";
import { variantKernelsOf } from "./shaders/variant-kernels.js";
import { StepKernels } from "./planning/dispatch/step-kernels.js";
import { checkUpdate } from "./planning/step/check-update.js";
import { StepPlans } from "./planning/step/step-plans.js";

/** A variant on a device. It has a pipeline per kernel and layout that occurs: one for most rules without reductions. */
export class WebGpuKernel implements Kernel {
  readonly source: string;
  readonly program: StepProgram;
  readonly takesRowLists: boolean;
  readonly #plans: StepPlans;
  readonly #device: GPUDevice;
  /** Updates that the device can execute: 1 if with selected rows, otherwise 0. */
  readonly #checked = new WeakMap<Update, number>();
  /** The only element is reused, since a step allocates nothing. */
  readonly #runs: [{ -readonly [K in keyof StepRun]: StepRun[K] }];

  /** @throws {GradstepError} `UNSUPPORTED` if the device cannot bind enough arrays, or for matrix products */
  constructor(device: GPUDevice, errors: ErrorTracker, variant: Variant) {
    const kernels = new StepKernels(device, errors, variant.label);
    const programs = variantKernelsOf(variant);
    const sources: string[] = [];
    for (const pass of programs.passes) {
      if (pass.kind !== "map") {
        for (const stage of newtonSchulzStages) {
          kernels.newtonSchulz(stage, variant);
          sources.push(emitNewtonSchulzKernel(stage, scalarSetLength(variant)));
        }
        continue;
      }
      const { matrixReduction, map } = pass;
      if (matrixReduction !== undefined) {
        const layout = plainRowLayout(matrixReduction);
        kernels.matrixReduction(matrixReduction, layout);
        sources.push(emitMatrixReductionKernel(matrixReduction, layout));
      }
      if (map === undefined) continue;
      if (isOfPlainElements(map)) {
        kernels.dense(map, defaultKernelLayout);
        sources.push(emitDenseKernel(map));
      } else {
        const layout = plainRowLayout(map);
        kernels.rows(map, layout);
        sources.push(emitRowKernel(map, layout));
      }
    }
    this.source = sources.join("\n");
    this.takesRowLists = isElementwise(variant);
    this.program = { variant, kernels, programs };
    this.#plans = new StepPlans({ device, errors });
    this.#device = device;
    this.#runs = [{ kernel: this, updates: [], count: 0 }];
  }

  run(updates: readonly Update[], count: number): void {
    this.#plans.run(this.#runOf(updates, count));
  }

  check(update: Update, selectsRows: boolean): void {
    // What takes a selection of rows takes all rows.
    if ((this.#checked.get(update) ?? -1) >= +selectsRows) return;
    checkUpdate(this.#device, this.program, update, selectsRows);
    this.#checked.set(update, +selectsRows);
  }

  encode(target: object, updates: readonly Update[], count: number): void {
    this.#plans.encode(target, this.#runOf(updates, count));
  }

  /** Dispatches of the last batch. */
  get dispatches(): number {
    return this.#plans.dispatches;
  }

  /** The plans with steps since the last call. */
  takeExecutedPlans(): InputPlan[] {
    return this.#plans.takeExecuted();
  }

  destroy(): void {
    this.#plans.destroy();
  }

  #runOf(updates: readonly Update[], count: number): readonly StepRun[] {
    this.#runs[0].updates = updates;
    this.#runs[0].count = count;
    return this.#runs;
  }
}

/** Equal for variants that share a kernel: what they compute, and the order of their slots and scalars. */
export function kernelKeyOf({ perElement, slots, scalars }: Variant): string {
  return JSON.stringify([perElement.fingerprint, slots.map(({ name }) => name), scalars]);
}

/** Whether an elementwise kernel reads no values per row or column. */
function isOfPlainElements({ over, arrays }: KernelProgram): boolean {
  return (
    over === "element" && arrays.every(({ extent }) => extent !== "row" && extent !== "column")
  );
}
