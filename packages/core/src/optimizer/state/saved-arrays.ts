import type { Tensor } from "../../backend/backend.js";
import { isSameShape } from "../../backend/shape.js";
import { show } from "../../errors.js";
import { hasNames } from "../../argument-checks/has-names.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { RowSteps } from "../sparse/row-steps.js";
import type { Misfits } from "./misfit.js";
import { savedSlots, shapeOf } from "./state-source.js";
import { countAt, numbersAt, own, rowValuesAt, tableAt, type Table } from "./state-values.js";
import { isArray } from "../../argument-checks/is-array.js";

/** The values that a slot takes from a state. */
export interface SlotChange {
  readonly tensor: Tensor;
  readonly values: ArrayLike<number>;
}

/** The steps of rows that a parameter takes from a state. */
export interface RowStepsChange {
  readonly rowSteps: RowSteps;
  readonly counts: Uint32Array;
}

/** The parameters whose shape in a state is that of this optimizer. */
export function sameParameters(
  misfits: Misfits,
  state: Table,
  records: readonly ParameterRecord[],
): readonly ParameterRecord[] {
  const shapes = tableAt(misfits.at("shapes"), state["shapes"]);
  const known = new Set(records.map(({ name }) => name));
  for (const name of Object.keys(shapes))
    if (!known.has(name))
      misfits.at(`shapes.${name}`).add("parameter", show(shapes[name]), "no such parameter");
  return records.filter((record) => {
    const ofRecord = misfits.at(`shapes.${record.name}`);
    const expected = shapeOf(record);
    const got = own(shapes, record.name);
    if (got === undefined) ofRecord.add("parameter", "missing", show(expected));
    else if (!(isArray(got) && isSameShape(got as readonly number[], expected)))
      ofRecord.add("shape", show(got), show(expected));
    else return true;
    return false;
  });
}

/** What the slots of these parameters take from a state. */
export function slotChanges(
  misfits: Misfits,
  state: Table,
  records: readonly ParameterRecord[],
): readonly SlotChange[] {
  const all = ofParameters(misfits.at("slots"), state["slots"], state);
  return records.flatMap((record) => {
    const ofRecord = misfits.at(`slots.${record.name}`);
    const slots = tableAt(ofRecord, own(all, record.name));
    const saved = savedSlots(record);
    for (const name of Object.keys(slots))
      if (!saved.some((slot) => slot.name === name))
        ofRecord.at(name).add("slot", show(slots[name]), "no such slot");
    return saved.flatMap(({ name, index, size }): SlotChange[] => {
      const value = own(slots, name);
      if (value === undefined) {
        ofRecord.at(name).add("slot", "missing", `${size} values`);
        return [];
      }
      const values = numbersAt(ofRecord.at(name), "slot", value, size);
      return values === undefined ? [] : [{ tensor: record.update.slots[index], values }];
    });
  });
}

/** What the rows of these parameters take from a state. */
export function rowStepsChanges(
  misfits: Misfits,
  state: Table,
  records: readonly ParameterRecord[],
): readonly RowStepsChange[] {
  const { rowSteps: saved = {} } = state;
  const all = ofParameters(misfits.at("rowSteps"), saved, state);
  return records.flatMap(({ name, rowSteps }): RowStepsChange[] => {
    const ofRows = misfits.at(`rowSteps.${name}`);
    const value = own(all, name);
    if (rowSteps === undefined || value === undefined) {
      if (value !== undefined) ofRows.add("rowSteps", show(value), "nothing");
      else if (rowSteps !== undefined)
        ofRows.add("rowSteps", "missing", `${rowSteps.counts.length} values`);
      return [];
    }
    const counts = rowValuesAt(ofRows, "rowSteps", value, rowSteps.counts.length);
    return counts === undefined ? [] : [{ rowSteps, counts }];
  });
}

/** The numbers of rows of these parameters in a state; undefined where none are left out. */
export function rowCountsAt(
  misfits: Misfits,
  state: Table,
  records: readonly ParameterRecord[],
): ReadonlyMap<ParameterRecord, number | undefined> {
  const { rowCounts = {} } = state;
  const all = ofParameters(misfits.at("rowCounts"), rowCounts, state);
  return new Map(
    records.map((record) => {
      const ofCount = misfits.at(`rowCounts.${record.name}`);
      const value = own(all, record.name);
      if (value === undefined) return [record, undefined];
      const rows = shapeOf(record)[0] ?? 0;
      const count = countAt(ofCount, value) ?? rows;
      if (count > rows) ofCount.add("format", `${count}`, `at most ${rows}`);
      else if (count < rows && record.update.parameter.backend.remap === undefined)
        ofCount.add(
          "shape",
          `${count} of ${rows} rows`,
          "all",
          "Restore it on a backend that supports rows.",
        );
      else return [record, count];
      return [record, undefined];
    }),
  );
}

/** A table of values by parameter. Those of parameters that the state itself has no shapes of are misfits. */
function ofParameters(misfits: Misfits, value: unknown, { shapes }: Table): Table {
  const table = tableAt(misfits, value);
  if (hasNames(shapes))
    for (const name of Object.keys(table))
      if (!Object.hasOwn(shapes, name))
        misfits.at(name).add("parameter", show(table[name]), "no such parameter");
  return table;
}
