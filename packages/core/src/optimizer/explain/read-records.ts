import { applyChainRule } from "../../activations/activate.js";
import { ascending } from "../../backend/ascending.js";
import { columnsOf } from "../../backend/dimensions.js";
import type { Values } from "../../backend/memory.js";
import { roundingTo } from "../../language/precision.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import { readRowLimit } from "../rows/row-limit.js";
import { readDense } from "../sparse/read-dense.js";
import type { Gradients } from "../step/gradients.js";
import { memoize } from "./memoize.js";

/** A gradient, and whether the step updates a row. */
interface ReadGradient {
  readonly values: Values;
  readonly selects: (row: number) => boolean;
}

/** Reads the gradient of a parameter when it is first needed. */
export type GradientReader = (record: ParameterRecord) => Promise<ReadGradient>;

/** A parameter of the step to be explained, with its arrays. */
export interface ReadRecord {
  readonly record: ParameterRecord;
  readonly arrays: ReadonlyMap<string, Values>;
  readonly selects: ReadGradient["selects"];
}

/** Reads the arrays of a parameter, with the gradient with respect to it. */
export async function readRecord(
  record: ParameterRecord,
  readGradient: GradientReader,
): Promise<ReadRecord> {
  const { update, group } = record;
  const { slots } = group.context.variant;
  const [{ values: g, selects }, p, ...values] = await Promise.all([
    readGradient(record),
    update.parameter.read(),
    ...update.slots.map((slot) => slot.read()),
  ]);
  const arrays = new Map<string, Values>([
    ["p", p],
    ["g", g],
  ]);
  slots.forEach((slot, i) => arrays.set(slot.name, values[i]));
  const { parameter, gradientActivation } = update;
  if (gradientActivation !== undefined) {
    const chained = g.slice();
    const count = parameter.shape[0] ?? 1;
    const rows = ascending(count);
    const round = roundingTo(parameter.backend.precision);
    applyChainRule(
      gradientActivation,
      { values: p, rows },
      { values: chained, rows },
      count,
      parameter.size / count,
      round,
    );
    arrays.set("g", chained);
  }
  return { record, arrays, selects };
}

/** Whether the gradients of all rows that the step updates are finite. */
export async function areFinite(
  records: readonly ParameterRecord[],
  readGradient: GradientReader,
): Promise<boolean> {
  const read = await Promise.all(records.map(readGradient));
  return read.every(({ values, selects }, k) => {
    const columns = columnsOf(records[k].update.parameter);
    return values.every((value, i) => Number.isFinite(value) || !selects(Math.floor(i / columns)));
  });
}

/** Reads each gradient once. */
export function gradientReader(gradients: Gradients): GradientReader {
  return memoize(async ({ name, group, rowLimit, update }: ParameterRecord) => {
    const gradient = gradients[name]!;
    const { parameter } = update;
    const count = rowLimit && (await readRowLimit(rowLimit, parameter.shape[0]));
    const isBelow = (row: number): boolean => count === undefined || row < count;
    if (!("indices" in gradient))
      return { values: "read" in gradient ? await gradient.read() : gradient, selects: isBelow };
    const { indices } = gradient;
    const rows = new Set<number>("length" in indices ? indices : await indices.read());
    const isLazy = group.sparseOptions.sparse === "lazy";
    return {
      values: await readDense(gradient, parameter),
      selects: isLazy ? (row: number) => rows.has(row) : isBelow,
    };
  });
}
