/**
 * The kind of an error. Codes never change between versions; messages may.
 *
 * | code | meaning |
 * |---|---|
 * | `RULE_SYNTAX` | the text of a rule does not parse, or uses a name or an operation that has no meaning there |
 * | `INVALID_RULE` | a definition of a rule or stage that is not consistent, or a value that is not a rule |
 * | `INVALID_CHAIN` | stages in an order that has no meaning, or with names that clash |
 * | `UNKNOWN_RULE` | no built-in rule has that name |
 * | `UNKNOWN_OPTION` | an option that does not exist, or options that are not an object |
 * | `INVALID_HYPERPARAMETER` | a hyperparameter or option outside its range |
 * | `INVALID_PARAMETER` | something that is not a tensor, or has a name that cannot be used |
 * | `OVERLAPPING_MEMORY` | two tensors of one optimizer share memory |
 * | `UNKNOWN_PARAMETER` | a name that the optimizer does not have |
 * | `INVALID_GRADIENT` | a gradient that is neither a Float32Array nor a tensor of the optimizer's backend |
 * | `LENGTH_MISMATCH` | a number of values that differs from the shape's |
 * | `INVALID_SHAPE` | a shape that is not a list of positive integers, or not the expected one |
 * | `INVALID_MEMORY` | memory that the backend cannot wrap, or a range outside of it |
 * | `NON_FINITE` | a gradient that is NaN or infinite, where `nonFinite` is `"throw"` |
 * | `STATE_MISMATCH` | a saved state that does not belong to this optimizer |
 * | `DISPOSED` | use after `dispose` or `free` |
 * | `SWAPPED` | a step, a state, or a change of parameters, while they hold the weights to evaluate with |
 * | `INVALID_FILE` | a file that cannot be read, or has the wrong content |
 * | `STORE_FAILED` | a store of checkpoints cannot be read or written; `cause` is the error of the platform |
 * | `STORE_LOCKED` | another process or tab saves into this store |
 * | `OUT_OF_SPACE` | a disk is full, or a quota is used up |
 * | `OUT_OF_MEMORY` | a backend has no memory for a tensor |
 * | `DEVICE_LOST` | the device of a backend was lost; values read before remain valid |
 * | `WORKER_LOST` | a worker thread of a backend ended; the message says whether the step was finished |
 * | `UNSUPPORTED` | valid, but not available here |
 */
export type ErrorCode =
  | "RULE_SYNTAX"
  | "INVALID_RULE"
  | "INVALID_CHAIN"
  | "UNKNOWN_RULE"
  | "UNKNOWN_OPTION"
  | "INVALID_HYPERPARAMETER"
  | "INVALID_PARAMETER"
  | "OVERLAPPING_MEMORY"
  | "UNKNOWN_PARAMETER"
  | "INVALID_GRADIENT"
  | "LENGTH_MISMATCH"
  | "INVALID_SHAPE"
  | "INVALID_MEMORY"
  | "NON_FINITE"
  | "STATE_MISMATCH"
  | "DISPOSED"
  | "SWAPPED"
  | "INVALID_FILE"
  | "STORE_FAILED"
  | "STORE_LOCKED"
  | "OUT_OF_SPACE"
  | "OUT_OF_MEMORY"
  | "DEVICE_LOST"
  | "WORKER_LOST"
  | "UNSUPPORTED";

/** A place in the text of a rule or a stage. */
export interface TextPosition {
  /** The whole text, as it was given. */
  readonly text: string;
  /** 1 for the first line. */
  readonly line: number;
  /** 1 for the first character of the line. */
  readonly column: number;
}

/**
 * What about a state does not fit: `format` is something that no state has, `rule` the rule or an option of the optimizer
 * or of a group, `parameter` one that only the state or only the optimizer has, `control` accumulated gradients and the
 * loss scale.
 */
export type MisfitKind =
  | "format"
  | "rule"
  | "hyperparameter"
  | "schedule"
  | "group"
  | "parameter"
  | "shape"
  | "slot"
  | "rowSteps"
  | "control";

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

/** The error class of gradstep. The message says what was received, what was expected and what to do. */
export class GradstepError extends Error {
  override readonly name = "GradstepError";
  /** Stable across versions; use this, not the message, to tell errors apart. */
  readonly code: ErrorCode;
  /** All that does not fit, if the state of an optimizer does not. */
  declare readonly misfits?: readonly Misfit[];
  /** Where the text is wrong, if the code is `RULE_SYNTAX`. */
  declare readonly position?: TextPosition;

  /** Without options, there is no code. */
  constructor(
    message: string,
    options: {
      code: ErrorCode;
      cause?: unknown;
      misfits?: readonly Misfit[];
      position?: TextPosition;
    },
  ) {
    // An error that throws while it is made would hide what it is about.
    const { code, cause, misfits, position } = Object(options) as typeof options;
    super(message, cause === undefined ? cause : { cause });
    this.code = code;
    if (misfits !== undefined) this.misfits = misfits;
    if (position !== undefined) this.position = position;
  }
}

/** Longer strings are cut in error messages. */
const maxCharacters = 100;

/** A short text for a value in an error message; strings are quoted. It never throws. */
export function show(value: unknown): string {
  try {
    return shown(value);
  } catch {
    return "an object that cannot be read";
  }
}

function shown(value: unknown): string {
  if (typeof value === "string") {
    const start = JSON.stringify(value.slice(0, maxCharacters));
    return value.length > maxCharacters ? `${start}… (${value.length} characters)` : start;
  }
  if (typeof value === "function") return `a function`;
  if (typeof value === "bigint") return `${value}n`;
  if (ArrayBuffer.isView(value) && "length" in value) {
    return `${withArticle(value.constructor.name)} of ${String(value.length)} values`;
  }
  if (Array.isArray(value))
    return value.length > 8 || value.some((one) => typeof one === "object")
      ? `an array of ${value.length}`
      : `[${value.map(show).join(", ")}]`;
  if (value !== null && typeof value === "object") {
    const name = value.constructor?.name;
    return name === undefined || name === "Object" ? `an object` : withArticle(name);
  }
  return String(value);
}

function withArticle(name: string): string {
  return /^[AEIOaeio]/.test(name) ? `an ${name}` : `a ${name}`;
}

/** Names for an error message. It never throws. */
export function list(names: Iterable<string>): string {
  try {
    const all = [...names];
    if (all.length === 0) return "none";
    // The last name takes no more room than "1 more".
    return all.length > 13
      ? `${all.slice(0, 12).join(", ")} and ${all.length - 12} more`
      : all.join(", ");
  } catch {
    return show(names);
  }
}

/** Values of which one is expected, for an error message: `"a", "b" or "c"`. */
export function alternatives(values: readonly unknown[]): string {
  const texts = values.map(show);
  const last = texts.pop() ?? "nothing";
  return texts.length > 0 ? `${texts.join(", ")} or ${last}` : last;
}
