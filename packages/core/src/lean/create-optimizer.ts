import type { Gradients } from "../optimizer/gradients.js";
import type { Parameters } from "../optimizer/parameters.js";
import type { OptimizerState } from "../optimizer/state.js";
import type { LeanTensor } from "./backend.js";
import { RuleOptimizer } from "./rule-optimizer.js";
import type { LeanSpec } from "./rule.js";

/** An optimizer of one group, whose hyperparameters can be set between steps. Made by `createOptimizer`. */
export type LeanOptimizer<H extends string = string, T extends LeanTensor = LeanTensor> = Record<
  H,
  number
> & {
  /** Steps taken so far. */
  readonly iterations: number;
  /** The names of all parameters. */
  readonly parameters: readonly string[];
  /**
   * Takes one step. One that throws has changed nothing.
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_GRADIENT`, `LENGTH_MISMATCH`, `OVERLAPPING_MEMORY`, `DISPOSED`
   */
  step(gradients: Gradients): void;
  /**
   * A tensor for a parameter's gradient: to write into, and to give to `step`. A typed array that `step` is given is
   * written into it, too.
   *
   * @throws {GradstepError} `UNKNOWN_PARAMETER`
   */
  gradient(name: string): T;
  /** All that the next step depends on, as the optimizer of `@gradstep/core` has it. */
  state(): Promise<OptimizerState>;
  /** Goes on from a state, which may be one of `@gradstep/core`. @throws {GradstepError} `STATE_MISMATCH` */
  restore(state: OptimizerState): void;
  /** Frees the slots and gradients. */
  dispose(): void;
};

/**
 * An optimizer for bundles in which each kilobyte counts: one group, whole tensors. Groups are several optimizers;
 * rows and encoders take `createOptimizer` of `@gradstep/core`.
 *
 * @param parameters tensors by name, of one backend that has the rule's kernels, such as `createWasm(adamKernels())`.
 * @throws {GradstepError} `INVALID_RULE`, `INVALID_PARAMETER`, `OVERLAPPING_MEMORY`, `UNSUPPORTED` (no kernel),
 * `OUT_OF_MEMORY`
 */
export function createOptimizer<H extends string, T extends LeanTensor = LeanTensor>(
  spec: LeanSpec<H>,
  parameters: Parameters<T>,
): LeanOptimizer<H, T> {
  return new RuleOptimizer(spec, parameters) as unknown as LeanOptimizer<H, T>;
}
