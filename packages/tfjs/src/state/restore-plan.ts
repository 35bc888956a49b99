import type { Misfit } from "@gradstep/core";
import { isSameShape, stateMismatch } from "@gradstep/core/internal";
import type { ParameterTable } from "./parameter-table.js";

/** What a state changes about the parameters of an optimizer, by their keys. */
export interface RestorePlan {
  /** Those with another shape in the state and without a variable: they get the shape of the state. */
  readonly replaced: readonly string[];
  /** Those that the state does not have: they are removed, unless only part of a state is restored. */
  readonly removed: readonly string[];
  /** Those with another shape in the state than their variable has: they keep their own state. */
  readonly kept: ReadonlySet<string>;
}

/**
 * Compares the shapes in a state with those of the parameters.
 * @param keys the parameters of the optimizer
 * @param isPartial whether what does not fit is left out
 * @throws {GradstepError} `STATE_MISMATCH` for a variable that has another shape than its state
 */
export function planRestore(
  shapes: ReadonlyMap<string, readonly number[]>,
  keys: readonly string[],
  table: ParameterTable,
  isPartial: boolean,
): RestorePlan {
  const conflicting = keys.filter((key) => {
    const shape = shapes.get(key);
    return shape !== undefined && !isSameShape(shape, table.get(key)!.shape);
  });
  const kept = conflicting.filter((key) => table.variableOf(key) !== undefined);
  if (kept.length > 0 && !isPartial)
    throw stateMismatch(kept.map((key) => misfitOf(key, shapes.get(key)!, table.get(key)!.shape)));
  return {
    replaced: conflicting.filter((key) => !kept.includes(key)),
    removed: isPartial ? [] : keys.filter((key) => !shapes.has(key)),
    kept: new Set(kept),
  };
}

/** The misfit of a parameter whose variable does not have the shape of the state. */
function misfitOf(key: string, given: readonly number[], needed: readonly number[]): Misfit {
  const path = `shapes.${key}`;
  const [got, expected] = [given, needed].map((shape) => `[${shape.join(", ")}]`);
  const message = `${path} is ${got}; expected ${expected}. Give the variable the shape that it has in the state, or another name.`;
  return { kind: "shape", path, got, expected, message };
}
