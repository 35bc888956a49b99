import type { Subject } from "../suite/subject.js";

/** A bug on purpose. */
export interface Mutant {
  readonly name: string;
  /** Where the bug is: in a rule's text, in a backend, or in the optimizer around them. */
  readonly kind: "rule" | "backend" | "optimizer";
  /** A rule whose checks come first. */
  readonly rule?: string;
  /** A fresh subject with the bug in it. */
  readonly subject: () => Subject;
}
