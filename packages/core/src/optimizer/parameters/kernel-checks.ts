import type { Backend, Kernel, ParameterCopy } from "../../backend/backend.js";
import { GradstepError } from "../../errors.js";
import type { KernelRun } from "../groups/rule-context.js";
import { rowCount } from "../rows/row-checks.js";
import type { NewParameter } from "./slot-allocation.js";

/** @throws {GradstepError} `INVALID_SHAPE`, `UNSUPPORTED` */
export function checkRowSteps(
  { name, tensor, group }: NewParameter,
  copies: readonly ParameterCopy[],
  kernel: Kernel,
): void {
  if (!group.sparseOptions.rowSteps) return;
  rowCount(name, tensor);
  if (kernel.takesRowLists === true && copies.length === 0) return;
  throw new GradstepError(
    `Rows of "${name}" cannot count their own steps` +
      (copies.length === 0
        ? ` with ${group.context.variant.label} on backend ${tensor.backend.name}; leave rowSteps out, or use another rule or backend.`
        : ", since it has a copy; leave one of the two out."),
    { code: "UNSUPPORTED" },
  );
}

/** @throws {GradstepError} `UNSUPPORTED` for rules that have a reduction in common */
export function checkCanRunTogether(backend: Backend, runs: readonly KernelRun[]): void {
  const keys = runs.flatMap(({ reductionKeys }) => [...new Set(reductionKeys)]);
  if (backend.runTogether !== undefined || new Set(keys).size === keys.length) return;
  throw new GradstepError(
    `Backend ${backend.name} cannot reduce over the tensors of several rules, such as for a global norm; expected one rule with such a reduction.`,
    { code: "UNSUPPORTED" },
  );
}
