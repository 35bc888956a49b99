import type { ErrorModel } from "../bounds/model.js";
import type { Subject } from "../suite/subject.js";

/** A bug on purpose. */
export interface Mutant {
  readonly name: string;
  /** Where the bug is: in a rule's text, in a backend, or in the optimizer around them. */
  readonly kind: "rule" | "backend" | "optimizer";
  /** A rule whose checks come first. */
  readonly rule?: string;
  /** Whether an error model allows what it does, so that under that model it is no bug; none does if left out. */
  readonly isAllowed?: (model: ErrorModel) => boolean;
  /** A fresh subject with the bug in it. */
  readonly subject: () => Subject;
}
