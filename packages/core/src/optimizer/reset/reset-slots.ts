import { columnsOf } from "../../backend/dimensions.js";
import type { Backend, Tensor, Update } from "../../backend/backend.js";
import { GradstepError, show } from "../../errors.js";
import type { Variant } from "../../rule/variant.js";
import type { KernelRunner } from "../step-control/arithmetic-kernels.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import { notLive } from "../../backend/tensor-errors.js";
import { checkRowValues } from "../../backend/row-value-checks.js";
import { checkHasRows, resized, rowCount } from "../rows/row-checks.js";
import type { ColumnRange, ResetOptions } from "./reset-options.js";
import { checkRowStepReset } from "../sparse/row-step-updates.js";
import { SlotResets } from "./slot-resets.js";
import { isArray } from "../../argument-checks/is-array.js";

/** The parameters whose slots are reset. */
interface ResetRecords {
  readonly backend: Backend;
  readonly records: readonly ParameterRecord[];
  /** All of the optimizer. */
  readonly all: readonly ParameterRecord[];
}

/**
 * Gives slots their first values, in one run of a kernel for all parameters, unless slots have values of different
 * extents. Rows that count their own steps restart at 0.
 *
 * @param run executes the kernel, or records it for later
 * @throws {GradstepError} as `optimizer.reset` does; then nothing has changed
 */
export function resetSlots(
  { backend, records, all }: ResetRecords,
  options: ResetOptions,
  run: KernelRunner,
): void {
  const { rows, columns } = options;
  checkRowStepReset(records, options);
  if (rows !== undefined) checkHasRows(backend);
  for (const record of records) {
    const { name, update } = record;
    if (update.parameter.freed) throw notLive(`Parameter "${name}"`, update.parameter);
    if (update.parameter.size !== record.size) throw resized(record);
    if (rows !== undefined) checkRowValues("rows", rows, rowCount(name, update.parameter), backend);
    if (columns !== undefined) checkColumns(columns, name, update.parameter);
  }
  // An array may be in memory of the backend, which may grow.
  const mask = ArrayBuffer.isView(rows) ? rows.slice() : rows;
  const updates = new Map<Variant, Update[]>();
  const sharedSlots = new Set<Tensor>();
  for (const record of records) {
    record.slotResets ??= new SlotResets(record);
    for (const { variant, update, extent, hasRows } of record.slotResets.of(columns)) {
      if (mask !== undefined && !hasRows) continue;
      if (extent === "all") {
        if (sharedSlots.has(update.parameter) || !isCovered(record, records, all, columns))
          continue;
        sharedSlots.add(update.parameter);
      }
      update.mask = mask;
      const known = updates.get(variant);
      if (known === undefined) updates.set(variant, [update]);
      else known.push(update);
    }
  }
  const runs = [...updates].map(([variant, ofOne]) => [backend.compile(variant), ofOne] as const);
  for (const [kernel, ofOne] of runs) run(kernel, ofOne, ofOne.length);
  for (const { rowSteps, update } of records) rowSteps?.reset(options, update.parameter, run);
}

/** Whether all elements of all parameters that share the slots of a record's rule are selected. */
function isCovered(
  { run }: ParameterRecord,
  records: readonly ParameterRecord[],
  all: readonly ParameterRecord[],
  columns: ColumnRange | undefined,
): boolean {
  const isWhole = ({ update: { parameter } }: ParameterRecord): boolean =>
    columns === undefined || columns[1] - columns[0] === columnsOf(parameter);
  return all.every((other) => other.run !== run || (records.includes(other) && isWhole(other)));
}

/** @throws {GradstepError} `INVALID_SHAPE` */
function checkColumns(columns: unknown, name: string, parameter: Tensor): void {
  rowCount(name, parameter);
  const width = columnsOf(parameter);
  const [from, to] = isArray(columns) && columns.length === 2 ? (columns as number[]) : [];
  const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from < to;
  if (isRange && to <= width) return;
  throw new GradstepError(
    `columns is ${show(columns)}; expected [from, to], from 0 to the ${width} columns of "${name}", where to is the column after the last.`,
    { code: "INVALID_SHAPE" },
  );
}
