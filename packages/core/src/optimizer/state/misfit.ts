import { GradstepError, type Misfit, type MisfitKind } from "../../errors.js";

const sameRule = "Make the optimizer with the rule and options of the state.";

/** What to do, by kind. */
const remedies: Readonly<Record<MisfitKind, string>> = {
  format: "Pass what state() resolved to, unchanged.",
  rule: sameRule,
  hyperparameter: "Correct it in the state.",
  schedule: 'To go on with the schedule of this optimizer, use the option { schedules: "code" }.',
  group: "Make the optimizer with the groups of the state.",
  parameter: "Give the optimizer the parameters of the state; add() and remove() change them.",
  shape: "Give the parameter the shape that it has in the state.",
  slot: sameRule,
  rowSteps: "Make the optimizer with the same option rowSteps.",
  control: "Make the optimizer with the same options accumulate and lossScale.",
};

/** Longer paths are cut: names come from the state. */
const maxPath = 200;

/** Collects the misfits of a state, in the order in which they are found. It knows the path of a value in the state. */
export class Misfits {
  readonly all: Misfit[];
  readonly #path: string;

  constructor(all: Misfit[] = [], path = "") {
    this.all = all;
    this.#path = path;
  }

  /** The same misfits, for what is under a name, or at an index. */
  at(key: string | number): Misfits {
    if (typeof key === "number") return new Misfits(this.all, `${this.#path}[${key}]`);
    return new Misfits(this.all, this.#path === "" ? key : `${this.#path}.${key}`);
  }

  /** @returns undefined, in place of what the state should have */
  add(kind: MisfitKind, got: string, expected: string, remedy: string = remedies[kind]): undefined {
    const path = this.#path.length > maxPath ? `${this.#path.slice(0, maxPath)}…` : this.#path;
    const message = `${path} is ${got}; expected ${expected}. ${remedy}`;
    this.all.push({ kind, path: this.#path, got, expected, message });
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
