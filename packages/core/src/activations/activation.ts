import { alternatives, GradstepError, show } from "../errors.js";
import { hasNames } from "../argument-checks/has-names.js";

/**
 * A function from a parameter to what a model or a renderer reads: `exp` for scales, `sigmoid` for opacities, `softplus`
 * log(1 + eˣ), `normalize` x / max(‖x‖, 1e-12) over the values of a row, `affine` x · scale + offset.
 */
export type Activation =
  | "identity"
  | "exp"
  | "sigmoid"
  | "softplus"
  | "normalize"
  | { readonly kind: "affine"; readonly scale: number; readonly offset: number };

/** The names of activations, also of `affine`. */
export type ActivationKind = Extract<Activation, string> | "affine";

/** An activation with all of its numbers. */
export interface CheckedActivation {
  readonly kind: ActivationKind;
  /** 1 and 0 unless it is `affine`. Rounded to f32. */
  readonly scale: number;
  readonly offset: number;
}

const names: readonly ActivationKind[] = ["identity", "exp", "sigmoid", "softplus", "normalize"];

export const identity: CheckedActivation = { kind: "identity", scale: 1, offset: 0 };

/** The smallest norm by which `normalize` divides. */
export const smallestNorm = 1e-12;

/**
 * @param what what it is of, as the message begins
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function checkActivation(what: string, activation: unknown): CheckedActivation {
  if (names.includes(activation as ActivationKind))
    return { ...identity, kind: activation as ActivationKind };
  const { kind, scale, offset, ...rest } = hasNames(activation) ? activation : identity;
  if (kind === "affine" && isNumber(scale) && isNumber(offset) && Object.keys(rest).length === 0)
    return { kind, scale: Math.fround(scale), offset: Math.fround(offset) };
  throw new GradstepError(
    `${what} has the activation ${show(activation)}; expected ${alternatives(names)}, or { kind: "affine", scale, offset } with finite numbers.`,
    { code: "UNKNOWN_OPTION" },
  );
}

/** Whether it is a number that f32 can hold. */
function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(Math.fround(value));
}
