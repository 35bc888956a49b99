import type { Tensor } from "../../backend/backend.js";
import { show } from "../../errors.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { RowSteps } from "../sparse/row-steps.js";
import type { Misfits } from "./misfit.js";
import { savedSlots, shapeOf } from "./state-source.js";
import { countAt, numbersAt, own, rowValuesAt, tableAt, type Table } from "./state-values.js";

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
  const shapes = tableAt(misfits, "shapes", state["shapes"]);
  const known = new Set(records.map(({ name }) => name));
  for (const name of Object.keys(shapes))
    if (!known.has(name))
      misfits.add("parameter", `shapes.${name}`, show(shapes[name]), "no such parameter");
  return records.filter((record) => {
    const path = `shapes.${record.name}`;
    const expected = shapeOf(record);
    const got = own(shapes, record.name);
    if (got === undefined) misfits.add("parameter", path, "missing", show(expected));
    else if (!isSameShape(got, expected)) misfits.add("shape", path, show(got), show(expected));
    else return true;
    return false;
  });
}

function isSameShape(got: unknown, expected: readonly number[]): boolean {
  return (
    Array.isArray(got) &&
    got.length === expected.length &&
    expected.every((length, i) => got[i] === length)
  );
}

/** What the slots of these parameters take from a state. */
export function slotChanges(
  misfits: Misfits,
  state: Table,
  records: readonly ParameterRecord[],
): readonly SlotChange[] {
  const all = tableAt(misfits, "slots", state["slots"]);
  addUnknown(misfits, "slots", all, state);
  return records.flatMap((record) => {
    const path = `slots.${record.name}`;
    const slots = tableAt(misfits, path, own(all, record.name));
    const saved = savedSlots(record);
    for (const name of Object.keys(slots))
      if (!saved.some((slot) => slot.name === name))
        misfits.add("slot", `${path}.${name}`, show(slots[name]), "no such slot");
    return saved.flatMap(({ name, index, size }): SlotChange[] => {
      const value = own(slots, name);
      if (value === undefined) {
        misfits.add("slot", `${path}.${name}`, "missing", `${size} values`);
        return [];
      }
      const values = numbersAt(misfits, "slot", `${path}.${name}`, value, size);
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
  const all =
    state["rowSteps"] === undefined ? {} : tableAt(misfits, "rowSteps", state["rowSteps"]);
  addUnknown(misfits, "rowSteps", all, state);
  return records.flatMap(({ name, rowSteps }): RowStepsChange[] => {
    const path = `rowSteps.${name}`;
    const value = own(all, name);
    if (rowSteps === undefined || value === undefined) {
      if (value !== undefined) misfits.add("rowSteps", path, show(value), "nothing");
      else if (rowSteps !== undefined)
        misfits.add("rowSteps", path, "missing", `${rowSteps.counts.length} values`);
      return [];
    }
    const counts = rowValuesAt(misfits, "rowSteps", path, value, rowSteps.counts.length);
    return counts === undefined ? [] : [{ rowSteps, counts }];
  });
}

/** The numbers of rows of these parameters in a state; undefined where none are left out. */
export function rowCountsAt(
  misfits: Misfits,
  state: Table,
  records: readonly ParameterRecord[],
): ReadonlyMap<ParameterRecord, number | undefined> {
  const all =
    state["rowCounts"] === undefined ? {} : tableAt(misfits, "rowCounts", state["rowCounts"]);
  addUnknown(misfits, "rowCounts", all, state);
  return new Map(
    records.map((record) => {
      const path = `rowCounts.${record.name}`;
      const value = own(all, record.name);
      if (value === undefined) return [record, undefined];
      const rows = shapeOf(record)[0] ?? 0;
      const count = countAt(misfits, path, value) ?? rows;
      if (count > rows) misfits.add("format", path, `${count}`, `at most ${rows}`);
      else if (count < rows && record.update.parameter.backend.remap === undefined)
        misfits.add(
          "shape",
          path,
          `${count} of ${rows} rows`,
          "all",
          "Restore it on a backend that supports rows.",
        );
      else return [record, count];
      return [record, undefined];
    }),
  );
}

/** Arrays of parameters that the state itself has no shapes of. */
function addUnknown(misfits: Misfits, path: string, table: Table, state: Table): void {
  const shapes = state["shapes"];
  if (shapes === null || typeof shapes !== "object") return;
  for (const name of Object.keys(table))
    if (!Object.hasOwn(shapes, name))
      misfits.add("parameter", `${path}.${name}`, show(table[name]), "no such parameter");
}
