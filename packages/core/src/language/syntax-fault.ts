import type { Position } from "./expression.js";

/** What can be wrong with the text of a rule. `explained` (syntax-errors.ts) turns these into messages. */
export type SyntaxProblem =
  | "unknown character"
  | "expected an operand"
  | "expected a function"
  | "expected a target"
  | "expected another target"
  | "expected ="
  | "expected :"
  | "expected ) of a group"
  | "expected ) of a call"
  | "expected the end of the line"
  | "too deep"
  | "too long"
  | "comparison as a value"
  | "condition without a comparison"
  | "number of arguments"
  | "unknown name"
  | "host operation"
  | "reduction on the host"
  | "nothing to reduce"
  | "computed coefficient"
  | "too many values"
  | "assigned scalar"
  | "unused name";

/**
 * A fault in the text of a rule, without a message: built-in rules have none, so bundles that hold only those need no
 * messages. It never reaches users.
 */
export class SyntaxFault extends Error {
  readonly problem: SyntaxProblem;
  readonly text: string;
  readonly at: Position;
  /** What the message says in addition, such as names. */
  readonly details: readonly string[];

  constructor(problem: SyntaxProblem, text: string, at: Position, ...details: readonly string[]) {
    super(problem);
    this.problem = problem;
    this.text = text;
    this.at = at;
    this.details = details;
  }
}
