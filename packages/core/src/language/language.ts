import type { Extent } from "./extent.js";
import type { PassPlan } from "./passes.js";
import type { TensorResolver } from "./build-program.js";
import type { Program } from "./program.js";

/** What the texts of rules can hold, and how a program becomes passes. */
export interface Language {
  readonly resolveTensorOperation: TensorResolver | undefined;
  readonly planPasses: (program: Program, arrays: ReadonlyMap<string, Extent>) => PassPlan;
}

/**
 * The language without operations on tensors and with slots of elements alone: for the rules of this package that need
 * no more, so that an application with these alone contains nothing else.
 */
export const elementLanguage: Language = {
  resolveTensorOperation: undefined,
  planPasses: singlePass,
};

/** An elementwise program as its only pass, unchanged. */
export function singlePass(program: Program): PassPlan {
  return {
    passes: [{ kind: "map", level: 0, over: "element", program, reductions: [] }],
    temporaries: [],
    counts: [],
  };
}
