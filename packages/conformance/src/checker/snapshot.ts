import {
  GradstepError,
  hasNames,
  show,
  type OptimizerState,
  type Tensor,
  type Values,
} from "@gradstep/core";
import { hasMethods } from "../option-checks.js";

/** The values of one parameter: `p` and its slots, by name. */
export type Snapshot = Readonly<Record<string, Values>>;

/**
 * The current values of all parameters and of their slots, by parameter.
 * @throws {GradstepError} `INVALID_PARAMETER`
 */
export async function snapshot(
  optimizer: { state(): Promise<OptimizerState> },
  parameters: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Snapshot>> {
  if (!hasMethods(optimizer, "state"))
    throw invalid(optimizer, "the optimizer", "what createOptimizer returned");
  if (!hasNames(parameters)) throw invalid(parameters, "the parameters", "tensors by name");
  for (const [name, one] of Object.entries(parameters))
    if (!hasMethods(one, "read")) throw invalid(one, `the parameter ${show(name)}`, "a tensor");
  const names = Object.keys(parameters);
  const [state, ...values] = await Promise.all([
    optimizer.state(),
    ...names.map((name) => parameters[name].read()),
  ]);
  return Object.fromEntries(names.map((name, i) => [name, { ...state.slots[name], p: values[i] }]));
}

function invalid(got: unknown, what: string, expected: string): GradstepError {
  return new GradstepError(`snapshot: got ${show(got)} as ${what}; expected ${expected}.`, {
    code: "INVALID_PARAMETER",
  });
}
