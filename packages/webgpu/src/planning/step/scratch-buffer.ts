import { GradstepError } from "@gradstep/core";
import type { ErrorTracker } from "../../device/error-tracker.js";
import { destroyStale } from "../../device/stale-work.js";
import { bufferUsage } from "../../device/webgpu-constants.js";
import type { ScratchLayout } from "../run/scratch-layout.js";

/** The buffer for what a step reduces. */
export class ScratchBuffer {
  /** Undefined if a step reduces nothing. */
  readonly buffer: GPUBuffer | undefined;
  /** Why the device has no memory for it. */
  failure: GradstepError | undefined;

  constructor(device: GPUDevice, errors: ErrorTracker, label: string, layout: ScratchLayout) {
    if (layout.length === 0) return;
    const size = layout.length * 4;
    this.buffer = errors.capture(
      "out-of-memory",
      () =>
        device.createBuffer({
          label: `${label}, results of reductions`,
          size,
          usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
        }),
      (message) => {
        this.failure = new GradstepError(
          `The device has no ${size} bytes for the temporaries of a step: ${message}. Use a smaller model.`,
          { code: "OUT_OF_MEMORY" },
        );
        return this.failure;
      },
    );
    const { contents } = layout;
    if (contents !== undefined) device.queue.writeBuffer(this.buffer, 0, contents);
  }

  destroy(): void {
    if (this.buffer !== undefined) destroyStale(this.buffer);
  }
}
