import type { Fingerprint } from "./value-fingerprint.js";

/** A state from a checkpoint that has no variable yet. */
export interface WaitingState {
  readonly key: string;
  readonly shape: readonly number[];
  /** Of its variable's values when it was saved; only where the names alone are ambiguous. */
  readonly fingerprint?: Fingerprint | undefined;
  /** Whether it may be left without a variable, because it was restored with `partial`. */
  readonly isOptional?: boolean;
}
