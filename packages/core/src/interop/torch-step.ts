import { GradstepError, list, show } from "../errors.js";
import type { OptimizerMethods } from "../optimizer/optimizer.js";
import { checkIsTable } from "../optimizer/step/gradient-table-checks.js";
import type { Gradients } from "../optimizer/step/gradients.js";
import type { StepOptions } from "../optimizer/step/step-options.js";
import { propertyOf } from "../argument-checks/property-of.js";

/** The part of an optimizer that is used. */
type SteppedOptimizer<N extends string> = Pick<
  OptimizerMethods<string, never, never, N>,
  "config" | "groups" | "parameters"
> & { step(gradients: Gradients<N>, options?: StepOptions): void };

/** Optimizers that were found to take a step in each call. */
const checked = new WeakSet<object>();

/**
 * Takes a step as PyTorch does, which counts the steps of each parameter: one without a gradient takes no step, and its
 * next one has the bias correction of its own count. `optimizer.step` counts the steps of groups, whichever parameters
 * have gradients. Schedules advance in each call, like a scheduler that is stepped each time. A call without any gradient
 * is a step of no parameter.
 *
 * The parameters of a group must have gradients in the same steps. `readTorch(file, { groups: "parameter" })` puts each
 * into a group of its own, and so does `fromTorch(name, { groups: names.map((name) => ({ parameters: [name] })) })`.
 *
 * @throws {GradstepError} `UNSUPPORTED` if only some parameters of a group have a gradient, if the optimizer's own group,
 * which cannot be left out, has none, and with `accumulate`; `INVALID_PARAMETER` for a value that is not an optimizer;
 * otherwise as `optimizer.step`; then nothing has changed
 */
export function torchStep<N extends string>(
  optimizer: SteppedOptimizer<N>,
  gradients: Gradients<N>,
  options?: StepOptions,
): void {
  if (!checked.has(optimizer)) checkCalls(optimizer);
  checkIsTable(gradients);
  const lacks = (name: string): boolean => (gradients[name as N] ?? undefined) === undefined;
  const inGroups = new Set<string>();
  const idle = optimizer.groups.filter(({ parameters, frozen }) => {
    for (const name of parameters) inGroups.add(name);
    if (frozen || !parameters.some(lacks)) return false;
    if (!parameters.every(lacks)) throw ofSeveral(parameters, lacks);
    return true;
  });
  const others = optimizer.parameters.filter((name) => !inGroups.has(name));
  if (others.some(lacks)) throw ofSeveral(others, lacks);
  for (const group of idle) group.frozen = true;
  try {
    optimizer.step(gradients, options);
  } finally {
    for (const group of idle) group.frozen = false;
  }
}

/** @throws {GradstepError} `UNSUPPORTED`, `INVALID_PARAMETER` for a value that is not an optimizer */
function checkCalls(optimizer: SteppedOptimizer<string>): void {
  if (typeof propertyOf(optimizer, "config") !== "function")
    throw new GradstepError(
      `torchStep: got ${show(optimizer)}; expected what createOptimizer returns.`,
      { code: "INVALID_PARAMETER" },
    );
  const { accumulate = 1 } = optimizer.config();
  if (accumulate > 1)
    throw new GradstepError(
      `torchStep: the optimizer makes one step of ${accumulate} calls; expected a step in each. Leave accumulate out, and pass the mean of the gradients.`,
      { code: "UNSUPPORTED" },
    );
  checked.add(optimizer);
}

function ofSeveral(names: readonly string[], lacks: (name: string) => boolean): GradstepError {
  const without = names.filter(lacks);
  const have = names.length - without.length;
  return new GradstepError(
    `torchStep: ${list(without)} ${without.length === 1 ? "has" : "have"} no gradient, and ${have === 0 ? "no group of their own" : `the other ${have} of the group ${have === 1 ? "has" : "have"}`}; expected groups whose parameters have gradients in the same steps, since groups count them. Give each parameter a group: fromTorch(name, { groups: [{ parameters: [${JSON.stringify(without[0])}] }] }), or readTorch(file, { groups: "parameter" }).`,
    { code: "UNSUPPORTED" },
  );
}
