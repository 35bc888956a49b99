import { GradstepError } from "@gradstep/core";
import type { ErrorTracker } from "../../device/error-tracker.js";
import type { InputPlan } from "./input-plan.js";

/**
 * Finds steps that the device refused because one of their buffers was destroyed. A step itself checks nothing: only if
 * the device has reported an error meanwhile, the plans of the steps since the last check are submitted once
 * more, without workgroups, in an error scope. Steps that were recorded before a remap and submitted after it are known
 * from the device's message.
 */
export class RefusedStepDetector {
  readonly #device: GPUDevice;
  readonly #errors: ErrorTracker;
  readonly #takeExecutedPlans: () => readonly InputPlan[];
  #knownErrors: ErrorTracker["uncapturedErrors"];

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
      // In Chromium, the event of an error may follow the answers to later calls.
      if (this.#errors.uncapturedErrors.count === knownErrors.count) await this.#errors.roundTrip();
      const { count, ofStaleWork } = this.#errors.uncapturedErrors;
      if (ofStaleWork > knownErrors.ofStaleWork) throw this.#errors.report(staleStep());
      if (plans.length === 0 || count === knownErrors.count) return;
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
          `The device refused a step, which was counted and changed nothing: ${message.replace(/\.$/, "")}. Wrap only buffers of the backend's device, and do not destroy one before the steps that use it are submitted.`,
          { code: "INVALID_MEMORY" },
        ),
      );
    };
  }
}

function staleStep(): GradstepError {
  return new GradstepError(
    "The device refused a command buffer with a step that was encoded before rows were remapped, a tensor was freed or 256 other steps were encoded, and submitted after that. The step was counted and changed nothing. Submit encoders with steps first, or record all remaps of an encoder into the same target with encodeRemap().",
    { code: "INVALID_MEMORY" },
  );
}
