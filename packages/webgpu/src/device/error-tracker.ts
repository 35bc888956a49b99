import { GradstepError } from "@gradstep/core";

/**
 * What went wrong on a device, for calls that have to return before the device has an answer: later ones are refused
 * once it is known.
 */
export class Guard {
  readonly #device: GPUDevice;
  readonly #pending = new Set<Promise<void>>();
  #lost: GPUDeviceLostInfo | undefined;
  /** What `settle` has not told yet. */
  #untold: GradstepError | undefined;
  #disposed = false;

  constructor(device: GPUDevice) {
    this.#device = device;
    void device.lost.then((info) => {
      this.#lost = info;
    });
  }

  /** @throws {GradstepError} `DISPOSED`, `DEVICE_LOST` */
  check(): void {
    if (this.#disposed) {
      throw new GradstepError("The WebGPU backend was disposed; make a new one.", {
        code: "DISPOSED",
      });
    }
    if (this.#lost !== undefined) throw this.lost();
  }

  /** The error for a device that is gone. */
  lost(cause?: unknown): GradstepError {
    const { reason, message } = this.#lost ?? { reason: "unknown", message: String(cause) };
    return new GradstepError(
      `The GPU device is lost (${reason}: ${message || "no reason given"}). Make a backend on a new device and tensors from the values read last, and restore the optimizer from its last state.`,
      { code: "DEVICE_LOST", cause },
    );
  }

  /**
   * Does something that may fail without saying so at once.
   *
   * @param failed makes the error from the device's message, and keeps it where it is looked for
   */
  watch<T>(filter: GPUErrorFilter, action: () => T, failed: (message: string) => GradstepError): T {
    this.#device.pushErrorScope(filter);
    try {
      return action();
    } finally {
      const answer = this.#device.popErrorScope().then(
        (error) => {
          if (error !== null) this.#untold ??= failed(error.message);
        },
        () => {
          // A lost device answers with a rejection; `check` says so.
        },
      );
      this.#pending.add(answer);
      void answer.then(() => this.#pending.delete(answer));
    }
  }

  /**
   * Resolves once everything that is watched has an answer.
   * @throws {GradstepError} the first failure since the last call
   */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    this.check();
    const failure = this.#untold;
    this.#untold = undefined;
    if (failure !== undefined) throw failure;
  }

  dispose(): void {
    this.#disposed = true;
  }
}
