import type { KernelRun } from "../groups/rule-context.js";
import type { ParameterTable } from "../parameters/parameter-table.js";
import { GradstepError, show } from "../../errors.js";
import { isRowValues } from "../rows/row-checks.js";
import { isReadable } from "../../argument-checks/is-readable.js";
import { propertyOf } from "../../argument-checks/property-of.js";
import { isSparseGradient } from "../sparse/sparse-gradient.js";
import { checkIsTable } from "./gradient-table-checks.js";
import type { Gradients } from "./gradients.js";
import type { StepOptions } from "./step-options.js";

/**
 * Checks that a step can be recorded. Gradients and masks must be tensors: an array may have other values when the work
 * is executed.
 *
 * @throws {GradstepError} `UNSUPPORTED`, `INVALID_GRADIENT`, `INVALID_MEMORY`
 */
export function checkEncodable(
  { backend, records }: ParameterTable,
  runs: readonly KernelRun[],
  gradients: Gradients,
  options: StepOptions | undefined,
): void {
  if (runs.some(({ kernel }) => kernel !== undefined && kernel.encode === undefined))
    throw cannotEncode(backend!.name, "steps", "step()");
  checkIsTable(gradients);
  for (const [name, gradient] of Object.entries(gradients)) {
    const isSparse = isSparseGradient(gradient);
    const parts = isSparse ? [gradient.indices, gradient.values] : [gradient];
    const array = parts.find((one) => ArrayBuffer.isView(one));
    if (array === undefined) continue;
    throw new GradstepError(
      isSparse
        ? `Gradient "${name}" has ${show(array)}; expected tensors of indices and values, since arrays cannot be read when the work is executed.`
        : `Gradient "${name}" is ${show(array)}; expected a tensor, since arrays cannot be read when the work is executed. Write it to optimizer.gradient("${name}").`,
      { code: "INVALID_GRADIENT" },
    );
  }
  const masks = propertyOf(options, "rows");
  for (const mask of isReadable(masks) && !isRowValues(masks) ? Object.values(masks) : [masks])
    checkEncodableRows("A mask", mask);
  // The host counts them.
  for (const { name, rowSteps } of records)
    if (rowSteps !== undefined && gradients[name] !== undefined)
      throw cannotEncode(backend!.name, `"${name}", whose rows count their own steps`, "step()");
}

/**
 * Checks that values per row are a tensor.
 * @param what what they are, as the message begins: `A mask`
 * @throws {GradstepError} `INVALID_MEMORY`
 */
export function checkEncodableRows(what: string, rows: unknown): void {
  if (!ArrayBuffer.isView(rows)) return;
  throw new GradstepError(
    `${what} is ${show(rows)}; expected a tensor, since arrays cannot be read when the work is executed. Wrap a buffer as u32.`,
    { code: "INVALID_MEMORY" },
  );
}

/** The error for a backend that records nothing. @param method the one to use instead: `step()` */
export function cannotEncode(backend: string, what: string, method: string): GradstepError {
  return new GradstepError(`Backend ${backend} cannot encode ${what}; use ${method}.`, {
    code: "UNSUPPORTED",
  });
}
