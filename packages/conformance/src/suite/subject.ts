import type { Backend, createOptimizer } from "@gradstep/core";
import type { ErrorModel } from "../bounds/model.js";
import type { Tally } from "../judge.js";

/** What is checked. */
export interface Subject {
  /** Gives a fresh backend. */
  readonly backend: () => Backend | Promise<Backend>;
  /** `createOptimizer`, or what a mutant has in its place. */
  readonly create: typeof createOptimizer;
  /** How far results may be from exact. */
  readonly model: ErrorModel;
  /** The capability to work in the caller's Float32Arrays, in place. */
  readonly wrapsArrays: boolean;
}

/** What a check is given. */
export interface Context {
  readonly subject: Subject;
  /** Random cases over the whole suite, about. Checks that go through all kernels make one case of each at least. */
  readonly cases: number;
  /** Random sequences of remaps and masked steps. */
  readonly sequences: number;
  /** Whether they make one of every choice of options at least, also of those that share a kernel. */
  readonly allChoices: boolean;
  readonly seed: number;
  /** To which findings are added. */
  readonly tally: Tally & { cases: number };
}

/** One thing that must hold of every backend. */
export interface Check {
  readonly group: string;
  readonly name: string;
  /** The capability without which the check is skipped. */
  readonly needs?: "wrapsArrays";
  /** Rejects where it does not hold, saying what was found. */
  readonly run: (context: Context) => Promise<void>;
}
