import { isTensor } from "../../backend/is-tensor.js";
import { didYouMean } from "../../argument-checks/did-you-mean.js";
import { GradstepError, list, show } from "../../errors.js";
import { hasNames } from "../../argument-checks/has-names.js";
import { isReadable } from "../../argument-checks/is-readable.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { Gradients } from "./gradients.js";

/** @throws {GradstepError} `INVALID_GRADIENT` for a value that is not an object */
export function checkIsTable(gradients: Gradients): void {
  if (!isReadable(gradients)) throw notATable(gradients);
}

/** The error for a table with names that no parameter has. */
export function unknownNames(
  gradients: Gradients,
  byName: ReadonlyMap<string, ParameterRecord>,
): GradstepError {
  if (!(hasNames(gradients) && !isTensor(gradients))) return notATable(gradients);
  const unknown = Object.keys(gradients).filter((name) => !byName.has(name));
  // An object whose properties are all inherited holds no gradients: a GPUBuffer, for example.
  return unknown.length === 0
    ? notATable(gradients)
    : unknownParameters("gradient", unknown, byName.keys());
}

/**
 * A step without updates is a mistake, unless groups skip it.
 * @throws {GradstepError} `INVALID_GRADIENT`
 */
export function checkIsSkipped(
  gradients: Gradients,
  records: readonly ParameterRecord[],
  iteration: number,
): void {
  const isGiven = ({ name }: ParameterRecord): boolean =>
    (gradients[name] ?? undefined) !== undefined;
  const isSkipped = ({ group }: ParameterRecord): boolean => !group.isDue(iteration);
  if (records.some(isGiven) || (records.length > 0 && records.every(isSkipped))) return;
  if (!hasNames(gradients) || isTensor(gradients)) throw notATable(gradients);
  throw new GradstepError(
    records.length === 0
      ? "The optimizer has no parameters yet; add some with optimizer.add()."
      : `Got no gradient; expected one for at least one of ${list(records.map(({ name }) => name))}.`,
    { code: "INVALID_GRADIENT" },
  );
}

function notATable(gradients: unknown): GradstepError {
  return new GradstepError(
    `Got ${show(gradients)} as gradients; expected arrays or tensors by parameter name, such as { kernel: gradient }.`,
    { code: "INVALID_GRADIENT" },
  );
}

/** The error for inputs of a step under names that no parameter has. */
export function unknownParameters(
  what: "gradient" | "mask" | "learningRate",
  unknown: readonly string[],
  names: Iterable<string>,
): GradstepError {
  const known = [...names];
  return new GradstepError(
    `Got a ${what} for ${list(unknown)}; the optimizer has ${list(known)}. Add parameters with optimizer.add().${didYouMean(unknown[0], known)}`,
    { code: "UNKNOWN_PARAMETER" },
  );
}
