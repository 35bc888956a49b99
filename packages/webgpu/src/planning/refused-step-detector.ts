import { GradstepError } from "@gradstep/core";
import type { ErrorTracker } from "../device/error-tracker.js";
import type { InputPlan } from "./input-plan.js";

/**
 * Finds steps that the device refused because one of their buffers was destroyed. A step itself checks nothing: only if
 * the device has reported an error meanwhile, the plans of the steps since the last check are submitted once
 * more, without workgroups, in an error scope.
 */
export class RefusedStepDetector {
  readonly #device: GPUDevice;
  readonly #errors: ErrorTracker;
  readonly #takeExecutedPlans: () => readonly InputPlan[];
  #knownErrors: number;

  /** @param takeExecutedPlans gives the plans with steps since its last call */
  constructor(
    device: GPUDevice,
    errors: ErrorTracker,
    takeExecutedPlans: () => readonly InputPlan[],
  ) {
    this.#device = device;
    this.#errors = errors;
    this.#takeExecutedPlans = takeExecutedPlans;
    this.#knownErrors = errors.uncapturedErrors;
  }

  /**
   * Starts a check of all steps so far.
   * @returns a function to call once the device has processed them; it throws `INVALID_MEMORY`
   */
  start(): () => Promise<void> {
    const plans = this.#takeExecutedPlans();
    const knownErrors = this.#knownErrors;
    this.#knownErrors = this.#errors.uncapturedErrors;
    return async () => {
      if (plans.length === 0) return;
      // In Chromium, the event of an error may follow the answers to later calls.
      if (this.#errors.uncapturedErrors === knownErrors) await this.#errors.roundTrip();
      if (this.#errors.uncapturedErrors === knownErrors) return;
      const label = "gradstep check of steps";
      const { refusal } = this.#errors.inScope("validation", () => {
        const encoder = this.#device.createCommandEncoder({ label });
        const pass = encoder.beginComputePass({ label });
        for (const plan of plans) if (!plan.destroyed) plan.recordEmptyDispatches(pass);
        pass.end();
        this.#device.queue.submit([encoder.finish()]);
      });
      const message = await refusal;
      if (message === undefined) return;
      throw this.#errors.report(
        new GradstepError(
          `The device refused a step, which was counted and changed nothing: ${message}. Do not destroy a wrapped buffer before the steps that use it are submitted.`,
          { code: "INVALID_MEMORY" },
        ),
      );
    };
  }
}
