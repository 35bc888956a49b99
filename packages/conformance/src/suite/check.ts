import type { Backend, createOptimizer } from "@gradstep/core";
import type { ErrorModel } from "../bounds/error-model.js";
import type { CheckStats } from "../checker/check-stats.js";

/** What is checked. */
export interface Target {
  /** Returns a fresh backend. */
  readonly backend: () => Backend | Promise<Backend>;
  /** `createOptimizer`, or a mutant's replacement. */
  readonly create: typeof createOptimizer;
  /** How far results may be from exact. */
  readonly model: ErrorModel;
  /** Whether `wrap` takes a Float32Array and updates it in place. */
  readonly wrapsArrays: boolean;
  /** Whether the backend moves rows and applies masks; left out, whether a fresh backend has `remap`. */
  readonly rows?: boolean | undefined;
  /** Whether the backend runs rules with reductions, and with slots of other extents; it does if left out. */
  readonly reductions?: boolean | undefined;
  /** Whether the backend runs rules with `newtonSchulz`; it does if left out. */
  readonly matrixProducts?: boolean | undefined;
  /** Whether a mask can be a tensor of flags; left out, whether a fresh backend has `maskOf`. */
  readonly maskTensors?: boolean | undefined;
  /** Whether rows can count their own steps; left out, whether a fresh backend's kernel of adam has `takesRowLists`. */
  readonly rowSteps?: boolean | undefined;
}

/** Input of a check. */
export interface Context {
  readonly target: Target;
  /** The approximate number of random cases in the whole suite. A check runs at least one case per kernel, up to `maxKernels`. */
  readonly cases: number;
  /** Random sequences of remaps and masked steps. */
  readonly sequences: number;
  /** Whether a check runs every choice of options, also those that share a kernel. */
  readonly allChoices: boolean;
  /** The most kernels per rule that a check compiles; the seed chooses them. */
  readonly maxKernels: number;
  readonly seed: number;
  /** Findings are added to it. */
  readonly stats: CheckStats;
}

/** What a backend may lack. */
export type Capability =
  | "wrapsArrays"
  | "rows"
  | "reductions"
  | "matrixProducts"
  | "copies"
  | "layouts"
  | "rowSteps"
  | "skippedSteps"
  | "maskTensors"
  | "commonReductions";

/** One property of a backend or a rule. */
export interface Check {
  readonly group: string;
  readonly name: string;
  /** The check is skipped for a backend without one of these. */
  readonly needs?: readonly Capability[];
  /** Rejects if the property does not hold, with a message that says where. */
  readonly run: (context: Context) => Promise<void>;
}
