import type { Backend } from "@gradstep/core";
import type { ErrorModel } from "../bounds/error-model.js";

/** A backend that this machine may have. */
export interface Candidate {
  readonly name: string;
  /** How far its results may be from exact. */
  readonly model: ErrorModel;
  /** Whether `wrap` takes a Float32Array and updates it in place. */
  readonly wrapsArrays: boolean;
  /** Opens it, or says why this machine lacks it. */
  readonly open: () => Promise<OpenedBackend | MissingBackend>;
}

/** A backend that works here. */
export interface OpenedBackend {
  /** What it runs on, in a few words, such as the name of the GPU. */
  readonly detail?: string;
  /** Whether software emulates the device, so that kernels take seconds to compile. */
  readonly isEmulated?: boolean;
  /** The backend for a check: fresh ones, or a few in turn. */
  readonly forCheck: () => Backend | Promise<Backend>;
  /** The backend whose speed is measured, configured as users have it. */
  readonly forSpeed: () => Backend | Promise<Backend>;
  /** Resolves when the steps of `forSpeed` have been made. Left out where `step` returns after the step. */
  readonly finish?: () => Promise<void>;
  readonly dispose: () => void;
}

/** A backend that this machine lacks. */
export interface MissingBackend {
  /** Why, as the end of a sentence. */
  readonly missing: string;
  /** What to do to have it: a command, or a sentence. */
  readonly remedy: string;
}
