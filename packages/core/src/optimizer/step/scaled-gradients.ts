import type { Kernel, Update } from "../../backend/backend.js";
import { plainUpdate } from "../../backend/plain-update.js";
import { gradientPool } from "../parameters/slot-allocation.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { KernelRunner } from "../step-control/arithmetic-kernels.js";
import { product } from "../step-control/gradient-arithmetic.js";

/** Multiplies the gradients of a step into memory of their own, for backends whose kernels take no scale. */
export class ScaledGradients {
  readonly #factor = new Float64Array(1);
  #kernel: Kernel | undefined;
  readonly #updates: Update[] = [];

  /** Makes the memory, before gradients enter that of the backend, which may grow. @throws {GradstepError} `OUT_OF_MEMORY` */
  reserve(records: readonly ParameterRecord[], count: number): void {
    for (let i = 0; i < count; i += 1) {
      const record = records[i];
      const { parameter } = record.update;
      const { backend, shape, size } = parameter;
      if (record.scaling?.parameter.size === size) continue;
      record.scaling?.parameter.free();
      record.scaling = undefined;
      record.scaling = plainUpdate({
        parameter: backend.tensor(shape, undefined, gradientPool),
        gradient: parameter,
        slots: [],
        scalars: this.#factor,
      });
    }
  }

  /** Multiplies, and replaces the gradients of the updates. The caller clears the gradients themselves. */
  multiply(
    factor: number,
    records: readonly ParameterRecord[],
    updates: readonly Update[],
    count: number,
    run: KernelRunner,
  ): void {
    this.#factor[0] = factor;
    this.#kernel ??= updates[0].parameter.backend.compile(product());
    for (let i = 0; i < count; i += 1) {
      const scaling = records[i].scaling!;
      scaling.gradient = updates[i].gradient;
      this.#updates[i] = scaling;
    }
    run(this.#kernel, this.#updates, count);
    for (let i = 0; i < count; i += 1) updates[i].gradient = records[i].scaling!.parameter;
  }
}
