import { GradstepError } from "../../errors.js";

/** What about a state does not fit. */
export type MisfitKind = keyof typeof remedies;

/** One thing in a state that an optimizer cannot take. */
export interface Misfit {
  readonly kind: MisfitKind;
  /** Where it is in the state: `slots.w.m`. */
  readonly path: string;
  /** What is there, and what the optimizer needs, as texts. */
  readonly got: string;
  readonly expected: string;
  /** All of it in one line, and what to do. */
  readonly message: string;
}

const sameRule = "Make the optimizer with the rule and options of the state.";

/** What to do, by kind. */
const remedies = {
  /** Something that no state has. */
  format: "Pass what optimizer.state() resolved to, unchanged.",
  /** The rule or an option of the optimizer or of a group. */
  rule: sameRule,
  hyperparameter: "Correct it in the state.",
  schedule: 'To go on with the schedule of this optimizer, use the option { schedules: "code" }.',
  group: "Make the optimizer with the groups of the state.",
  /** A parameter that only the state or only the optimizer has. */
  parameter: "Give the optimizer the parameters of the state; add() and remove() change them.",
  shape: "Give the parameter the shape that it has in the state.",
  slot: sameRule,
  rowSteps: "Make the optimizer with the same option rowSteps.",
  /** Accumulated gradients and the loss scale. */
  control: "Make the optimizer with the same options accumulate and lossScale.",
} as const;

/** Longer paths are cut: names come from the state. */
const maxPath = 200;

/** The misfits of a state, in the order in which they were found. */
export class Misfits {
  readonly all: Misfit[] = [];

  /** @returns undefined, in place of what the state should have */
  add(
    kind: MisfitKind,
    path: string,
    got: string,
    expected: string,
    remedy: string = remedies[kind],
  ): undefined {
    const shortPath = path.length > maxPath ? `${path.slice(0, maxPath)}…` : path;
    const message = `${shortPath} is ${got}; expected ${expected}. ${remedy}`;
    this.all.push({ kind, path, got, expected, message });
  }
}

/** Longer lists are cut in the message; the error has all of them. */
const maxListed = 20;

/**
 * The error for a state that does not fit: it lists all misfits, and has them as data.
 * @param what the beginning of the message
 * @param partialCall what takes the parts that fit
 */
export function stateMismatch(
  misfits: readonly Misfit[],
  what = "The state does not fit this optimizer",
  partialCall = "restore(state, { partial: true })",
): GradstepError {
  const listed = misfits.slice(0, maxListed).map(({ message }) => message);
  const more = misfits.length - listed.length;
  const all = [...listed, ...(more > 0 ? [`${more} more: see the property misfits`] : [])];
  const text =
    all.length === 1 ? `: ${all[0]} ` : ` in ${misfits.length} places:\n- ${all.join("\n- ")}\n`;
  return new GradstepError(`${what}${text}Nothing was changed; ${partialCall} takes what fits.`, {
    code: "STATE_MISMATCH",
    misfits,
  });
}
