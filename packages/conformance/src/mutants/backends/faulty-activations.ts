import type { CheckedActivation, Tensor, Update } from "@gradstep/core";
import { hostOperations, rowsOf, type LayoutOperations } from "../../layouts/laid-out-updates.js";
import type { Mutant } from "../mutant.js";
import { faulty, type RunUpdates } from "./faulty-layouts.js";

/** Other operations on rows. */
export function operating(name: string, operations: Partial<LayoutOperations>): Mutant {
  return faulty(name, { operations });
}

/** Other updates, or other work around the run of them. */
export function running(
  name: string,
  run: (updates: readonly Update[], run: RunUpdates) => void,
): Mutant {
  return faulty(name, { run });
}

/** The Euclidean norm of a row, kept from 0. */
export const norm = (row: Float32Array): number =>
  Math.max(Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)), 1e-12);

/** Fills a copy with activated values. */
export function fillActivated(
  target: Tensor,
  activation: CheckedActivation,
  values: Float32Array,
  { shape }: Tensor,
): void {
  hostOperations.fill(
    target,
    rowsOf(values, shape).flatMap((row) => Array.from(hostOperations.activate(activation, row))),
  );
}
