import type { Backend, RowValues, Tensor, Update } from "../backend/backend.js";
import { plainUpdate } from "../backend/plain-update.js";
import { dimensionsOf, hasRowsOf, reducedIndex } from "../backend/dimensions.js";
import { GradstepError, show } from "../errors.js";
import { singlePass, type Language } from "../language/language.js";
import { assembleVariant, type Slot, type SlotDefinition, type Variant } from "../rule/variant.js";
import type { ParameterRecord } from "./parameters/parameter-record.js";
import { notLive } from "./parameters/parameter-checks.js";
import { checkHasRows, checkRowValues, resized, rowCount } from "./rows/row-checks.js";

/**
 * What `optimizer.reset` resets; with `rows` and `columns`, the elements that are in both. A value of a slot that belongs
 * to several elements, such as Adafactor's average of a row, is reset if all of them are.
 */
export interface ResetOptions {
  /** Rows whose u32 is not 0. All rows if left out. */
  readonly rows?: RowValues;
  /**
   * The first column, and the one after the last: `[3, 4]` is the fourth. The columns of a row are all of its values, in
   * row-major order. All columns if left out.
   */
  readonly columns?: readonly [from: number, to: number];
}

/** A slot to reset: an update whose parameter it is. */
interface Reset {
  readonly variant: Variant;
  readonly update: Update;
}

/**
 * Gives slots their first values.
 * @param all the records of the optimizer
 * @throws {GradstepError} as `optimizer.reset` does; then nothing has changed
 */
export function resetSlots(
  backend: Backend,
  records: readonly ParameterRecord[],
  all: readonly ParameterRecord[],
  { rows, columns }: ResetOptions,
): void {
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
  const selections: Tensor[] = [];
  try {
    const resets = records.flatMap((record) => {
      const { parameter, slots } = record.update;
      const { variant } = record.group.context;
      return variant.slots.flatMap((slot, k): readonly Reset[] => {
        const isOthers = slot.extent === "all" && !isCovered(record, records, all, columns);
        const hasRows = hasRowsOf(slot.extent, parameter.shape, variant.matrices);
        if (isOthers || (mask !== undefined && !hasRows)) return [];
        const selected = columns && selectedValues(slot, slots[k], hasRows, record, columns);
        if (selected?.includes(1) === false) return [];
        const isPartial = selected?.includes(0) === true;
        const { shape } = slots[k];
        const isCopy = slot.initial === "p";
        const selection = isPartial
          ? [backend.tensor(hasRows ? shape.slice(1) : shape, selected, selectionPool)]
          : [];
        selections.push(...selection);
        const update: Update = {
          ...plainUpdate({
            parameter: slots[k],
            gradient: isCopy ? parameter : slots[k],
            slots: selection,
            scalars: Float64Array.from(isCopy ? [] : [firstValue(slot, record)]),
          }),
          mask,
        };
        const extent = hasRows ? "column" : "element";
        return [
          { variant: resetVariant(isCopy ? "g" : "first", isPartial ? extent : "none"), update },
        ];
      });
    });
    const kernels = resets.map(({ variant }) => backend.compile(variant));
    resets.forEach(({ update }, i) => kernels[i].run([update], 1));
  } finally {
    for (const tensor of selections) tensor.free();
  }
}

/** A pool whose buffers hold no slots. */
const selectionPool = 1;

/** Whether all elements of all parameters that share the slots of a record's rule are selected. */
function isCovered(
  { run }: ParameterRecord,
  records: readonly ParameterRecord[],
  all: readonly ParameterRecord[],
  columns: ResetOptions["columns"],
): boolean {
  const isWhole = ({ update: { parameter } }: ParameterRecord): boolean =>
    columns === undefined || columns[1] - columns[0] === widthOf(parameter);
  return all.every((other) => other.run !== run || (records.includes(other) && isWhole(other)));
}

/** Number of columns: of values per row. */
function widthOf({ size, shape: [rows = 1] }: Tensor): number {
  return size / rows;
}

function firstValue({ initial }: Slot, { group }: ParameterRecord): number {
  return typeof initial === "number" ? initial : group.get(initial);
}

/** 1 for the values of a slot to reset, and 0: those of one row, or all if it has no rows. */
function selectedValues(
  { extent }: Slot,
  tensor: Tensor,
  hasRows: boolean,
  { update: { parameter }, group }: ParameterRecord,
  [from, to]: NonNullable<ResetOptions["columns"]>,
): Float32Array {
  const selected = new Float32Array(hasRows ? widthOf(tensor) : tensor.size).fill(1);
  const dimensions = dimensionsOf(parameter.shape, group.context.variant.matrices);
  const width = widthOf(parameter);
  for (let i = 0; i < width; i += 1)
    if (i < from || i >= to) selected[reducedIndex("element", extent, i, dimensions)] = 0;
  return selected;
}

/** Its passes have a copy of the program, as those of all programs that read values per column. */
const resetLanguage: Language = {
  resolveTensorOperation: undefined,
  planPasses: (program) => singlePass({ ...program }),
};

const variants = /* @__PURE__ */ new Map<string, Variant>();

/**
 * The program that resets a slot, which is its parameter.
 * @param first where the first values are: the scalar `first`, or a gradient
 * @param extent that of the selection
 */
function resetVariant(first: "first" | "g", extent: "column" | "element" | "none"): Variant {
  const label = `reset to ${first}, ${extent}`;
  const slots: Record<string, SlotDefinition> =
    extent === "none" ? {} : { selected: { extent, initial: 0 } };
  const value = extent === "none" ? first : `selected > 0 ? ${first} : p`;
  const variant =
    variants.get(label) ??
    assembleVariant(
      {
        rule: "reset",
        label,
        hyperparameters: ["first"],
        slots,
        persistentScalars: {},
        perStep: [],
        perElement: [{ text: `p = ${value}` }],
      },
      resetLanguage,
    );
  variants.set(label, variant);
  return variant;
}

/** @throws {GradstepError} `INVALID_SHAPE` */
function checkColumns(columns: unknown, name: string, parameter: Tensor): void {
  rowCount(name, parameter);
  const width = widthOf(parameter);
  const [from, to] = Array.isArray(columns) && columns.length === 2 ? (columns as number[]) : [];
  const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from < to;
  if (isRange && to <= width) return;
  throw new GradstepError(
    `columns is ${show(columns)}; expected [from, to], from 0 to the ${width} columns of "${name}", where to is the column after the last.`,
    { code: "INVALID_SHAPE" },
  );
}
