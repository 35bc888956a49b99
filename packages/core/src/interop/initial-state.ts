import { GradstepError, show } from "../errors.js";
import { hasNames } from "../argument-checks/has-names.js";
import { createOptimizer } from "../optimizer/create-optimizer.js";
import type { OptimizerOptions } from "../optimizer/optimizer.js";
import type { OptimizerState } from "../optimizer/state/optimizer-state.js";
import { reference } from "../reference.js";
import type { OptimizerSpec } from "../rule/rule.js";

/**
 * The state that an optimizer of this spec has before its first step: to be filled with the slots and steps of another
 * library, and restored on any backend. Slots that begin as a copy of their parameter are zeros.
 *
 * @param shapes the shape of each parameter
 * @param options as for `createOptimizer`
 * @throws {GradstepError} as `createOptimizer` does; `INVALID_PARAMETER` unless shapes are given by name
 */
export async function initialState(
  spec: OptimizerSpec,
  shapes: Readonly<Record<string, readonly number[]>>,
  options?: OptimizerOptions,
): Promise<OptimizerState> {
  if (!hasNames(shapes))
    throw new GradstepError(
      `initialState: got ${show(shapes)}; expected shapes by name, such as { kernel: [784, 10] }.`,
      { code: "INVALID_PARAMETER" },
    );
  const backend = reference();
  const parameters = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape)]),
  );
  return createOptimizer(spec, parameters, options).state();
}
