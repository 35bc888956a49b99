import type { Tensor, Update } from "../../backend/backend.js";
import { columnsOf, dimensionsOf, hasRowsOf } from "../../backend/dimensions.js";
import { plainUpdate } from "../../backend/plain-update.js";
import { reducedIndex } from "../../language/dimensions.js";
import type { Slot, SlotExtent, Variant } from "../../rule/variant.js";
import type { Group } from "../groups/group.js";
import type { ColumnRange } from "./reset-options.js";
import { maxSlotsPerReset, resetVariant, type FirstValues } from "./reset-variant.js";

/** The reset of slots that have the same extent. */
export interface SlotReset {
  readonly variant: Variant;
  /** Its parameter and slots are the slots to reset. */
  readonly update: Update;
  readonly extent: SlotExtent;
  /** Whether the slots have values per row of the parameter. */
  readonly hasRows: boolean;
  readonly slots: readonly Slot[];
}

/** A parameter of an optimizer, with its current update. */
interface ResetParameter {
  readonly group: Group;
  readonly update: Update;
}

/** A pool whose buffers hold no slots. */
const selectionPool = 1;

/**
 * The resets of a parameter's slots, by columns. They are kept, because backends remember what they prepare for an
 * update, and because work that was recorded for later reads the selections.
 */
export class SlotResets {
  readonly #parameter: ResetParameter;
  readonly #resets = new Map<string, readonly SlotReset[]>();
  readonly #selections = new Map<string, Tensor>();
  /** The update of the parameter to which the resets belong; another one after rows were moved. */
  #of: Update | undefined;

  constructor(parameter: ResetParameter) {
    this.#parameter = parameter;
  }

  /**
   * The resets of these columns, with the current first values. There is none of slots without a selected value.
   * @throws {GradstepError} `OUT_OF_MEMORY`
   */
  of(columns: ColumnRange | undefined): readonly SlotReset[] {
    const { update, group } = this.#parameter;
    if (this.#of !== update) this.#forget();
    this.#of = update;
    const key = String(columns);
    const resets = this.#resets.get(key) ?? this.#make(columns);
    this.#resets.set(key, resets);
    for (const { slots, update: reset } of resets) {
      const values = slots.flatMap(({ initial }) => {
        if (initial === "p") return [];
        return typeof initial === "number" ? initial : group.get(initial);
      });
      reset.scalars.set(values);
    }
    return resets;
  }

  free(): void {
    this.#forget();
    for (const tensor of this.#selections.values()) tensor.free();
  }

  #forget(): void {
    for (const { variant, update } of [...this.#resets.values()].flat())
      update.parameter.backend.compile(variant).release?.(update);
    this.#resets.clear();
  }

  #make(columns: ColumnRange | undefined): readonly SlotReset[] {
    const { variant } = this.#parameter.group.context;
    const extents = new Set(variant.slots.map(({ extent }) => extent));
    return [...extents].flatMap((extent) => {
      const indices = variant.slots.flatMap((slot, k) => (slot.extent === extent ? [k] : []));
      const selected = columns && selectedValues(extent, this.#parameter, columns);
      if (selected?.includes(1) === false) return [];
      const selection =
        selected?.includes(0) === true ? this.#selection(extent, columns!, selected) : undefined;
      const resets: SlotReset[] = [];
      for (let start = 0; start < indices.length; start += maxSlotsPerReset)
        resets.push(this.#reset(extent, indices.slice(start, start + maxSlotsPerReset), selection));
      return resets;
    });
  }

  #reset(extent: SlotExtent, indices: readonly number[], selection: Tensor | undefined): SlotReset {
    const { update, group } = this.#parameter;
    const { variant } = group.context;
    const slots = indices.map((k) => variant.slots[k]);
    const [first, ...others] = indices.map((k) => update.slots[k]);
    const firstValues = slots.map(({ initial }): FirstValues =>
      initial === "p" ? "parameter" : "scalar",
    );
    const hasRows = hasRowsOf(extent, update.parameter.shape, variant.matrices);
    const selectionExtent = hasRows ? "column" : "element";
    return {
      variant: resetVariant(firstValues, selection === undefined ? "none" : selectionExtent),
      update: plainUpdate({
        parameter: first,
        gradient: firstValues.includes("parameter") ? update.parameter : first,
        slots: selection === undefined ? others : [...others, selection],
        scalars: new Float64Array(firstValues.filter((one) => one === "scalar").length),
      }),
      extent,
      hasRows,
      slots,
    };
  }

  #selection(extent: SlotExtent, columns: ColumnRange, selected: Float32Array): Tensor {
    const { update, group } = this.#parameter;
    const { slots, matrices } = group.context.variant;
    const key = `${extent} ${String(columns)}`;
    const known = this.#selections.get(key);
    if (known !== undefined && known.size === selected.length) return known;
    const { backend, shape } = update.slots[slots.findIndex((slot) => slot.extent === extent)];
    const hasRows = hasRowsOf(extent, update.parameter.shape, matrices);
    const made = backend.tensor(hasRows ? shape.slice(1) : shape, selected, selectionPool);
    this.#selections.set(key, made);
    return made;
  }
}

/** 1 for the values of a slot to reset, and 0: those of one row, or all if it has no rows. */
function selectedValues(
  extent: SlotExtent,
  { update: { parameter, slots: tensors }, group }: ResetParameter,
  [from, to]: ColumnRange,
): Float32Array {
  const { slots, matrices } = group.context.variant;
  const { size, shape } = tensors[slots.findIndex((slot) => slot.extent === extent)];
  const hasRows = hasRowsOf(extent, parameter.shape, matrices);
  const selected = new Float32Array(hasRows ? size / shape[0] : size).fill(1);
  const dimensions = dimensionsOf(parameter.shape, matrices);
  const width = columnsOf(parameter);
  for (let i = 0; i < width; i += 1)
    if (i < from || i >= to) selected[reducedIndex("element", extent, i, dimensions)] = 0;
  return selected;
}
