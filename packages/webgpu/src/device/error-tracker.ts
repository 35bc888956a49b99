import { GradstepError } from "@gradstep/core";
import { isOfStaleWork } from "./stale-work.js";

/** The errors of a device that no error scope has captured, whoever caused them. */
interface UncapturedErrors {
  count: number;
  /** How many of them are about work that was recorded before a remap or `free`, and submitted after it. */
  ofStaleWork: number;
}

/** Backends on one device share a listener. */
const uncapturedErrors = new WeakMap<GPUDevice, UncapturedErrors>();

function uncapturedErrorsOf(device: GPUDevice): Readonly<UncapturedErrors> {
  const known = uncapturedErrors.get(device);
  if (known !== undefined) return known;
  const errors: UncapturedErrors = { count: 0, ofStaleWork: 0 };
  // Not every implementation outside of browsers has devices that are event targets.
  (device as Partial<GPUDevice>).addEventListener?.("uncapturederror", ({ error }) => {
    errors.count += 1;
    if (isOfStaleWork(error.message)) errors.ofStaleWork += 1;
  });
  uncapturedErrors.set(device, errors);
  return errors;
}

/**
 * Errors that a device reports after the call that caused them has returned. The tracker keeps them, so that a later
 * call can throw.
 */
export class ErrorTracker {
  readonly #device: GPUDevice;
  /** Error scopes without an answer yet. */
  readonly #openScopes = new Set<Promise<void>>();
  readonly #uncapturedErrors: Readonly<UncapturedErrors>;
  #lostInfo: GPUDeviceLostInfo | undefined;
  /** The first error since `drainErrors` threw one. */
  #pendingError: GradstepError | undefined;
  #disposed = false;

  constructor(device: GPUDevice) {
    this.#device = device;
    void device.lost.then((info) => {
      this.#lostInfo = info;
    });
    this.#uncapturedErrors = uncapturedErrorsOf(device);
  }

  /** The errors of the device so far that no error scope has captured. */
  get uncapturedErrors(): Readonly<UncapturedErrors> {
    return { ...this.#uncapturedErrors };
  }

  /** @throws {GradstepError} `DISPOSED`, `DEVICE_LOST` */
  check(): void {
    if (this.#disposed) {
      throw new GradstepError("The WebGPU backend was disposed; make a new one.", {
        code: "DISPOSED",
      });
    }
    if (this.#lostInfo !== undefined) throw this.deviceLostError();
  }

  /** The error for a device that is lost. */
  deviceLostError(cause?: unknown): GradstepError {
    const { reason, message } = this.#lostInfo ?? { reason: "unknown", message: String(cause) };
    return new GradstepError(
      `The GPU device is lost (${reason}: ${message || "no reason given"}). Make a backend on a new device and tensors from the values read last, and restore the optimizer from its last state.`,
      { code: "DEVICE_LOST", cause },
    );
  }

  /**
   * Runs an action in an error scope.
   * @returns its result, and a promise of the device's message if the device refused it; the promise never rejects
   */
  inScope<T>(
    filter: GPUErrorFilter,
    action: () => T,
  ): { readonly result: T; readonly refusal: Promise<string | undefined> } {
    this.#device.pushErrorScope(filter);
    let refusal: Promise<string | undefined> | undefined;
    try {
      const result = action();
      return { result, refusal: (refusal = this.#popScope()) };
    } finally {
      if (refusal === undefined) void this.#popScope();
    }
  }

  /**
   * Runs an action in an error scope, and keeps the error if the device refuses it.
   * @param errorOf makes the error from the device's message, and may store it
   */
  capture<T>(
    filter: GPUErrorFilter,
    action: () => T,
    errorOf: (message: string) => GradstepError,
  ): T {
    const { result, refusal } = this.inScope(filter, action);
    const answer = refusal.then((message) => {
      if (message !== undefined) this.report(errorOf(message));
    });
    this.#openScopes.add(answer);
    void answer.then(() => this.#openScopes.delete(answer));
    return result;
  }

  /** Keeps an error for `drainErrors`, and returns it. */
  report(error: GradstepError): GradstepError {
    this.#pendingError ??= error;
    return error;
  }

  /** Resolves once the device has processed all calls so far, and reported their errors. */
  async roundTrip(): Promise<void> {
    await this.inScope("validation", () => {}).refusal;
  }

  /**
   * Resolves once every error scope has an answer.
   * @throws {GradstepError} the first error since the last call
   */
  async drainErrors(): Promise<void> {
    while (this.#openScopes.size > 0) await Promise.all(this.#openScopes);
    this.check();
    const error = this.#pendingError;
    this.#pendingError = undefined;
    if (error !== undefined) throw error;
  }

  dispose(): void {
    this.#disposed = true;
  }

  #popScope(): Promise<string | undefined> {
    return this.#device.popErrorScope().then(
      // Messages of Dawn have several lines.
      (error) => error?.message.trim().replaceAll(/\s*\n\s*/g, " "),
      // A lost device rejects; `check` reports that.
      () => undefined,
    );
  }
}
