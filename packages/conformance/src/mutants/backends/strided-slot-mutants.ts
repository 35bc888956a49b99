import type { Tensor, Update } from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { updating } from "./faulty-layouts.js";
import { columnsOf, moved, rowStrideOf, withLayout } from "./tensor-layouts.js";

/** A backend that takes other slots for those in memory of the caller, in some updates. */
function inOtherSlots(
  name: string,
  isAffected: (update: Update) => boolean,
  change: (slot: Tensor, update: Update, index: number) => Tensor,
): Mutant {
  return updating(name, (update) =>
    isAffected(update)
      ? { ...update, slots: update.slots.map((slot, i) => change(slot, update, i)) }
      : update,
  );
}

const always = (): boolean => true;
const decays = ({ mask, unselectedRows }: Update): boolean =>
  mask !== undefined && unselectedRows === "decay";

function withoutGaps(slot: Tensor): Tensor {
  return withLayout(slot, () => ({ rowStride: columnsOf(slot) }));
}

/** Slots in memory of the caller that are read and written at other places than they are. */
export const stridedSlotMutants: readonly Mutant[] = [
  inOtherSlots("slots that decay have no gaps between rows", decays, withoutGaps),
  inOtherSlots(
    "slots that decay have the stride of the first",
    decays,
    (slot, { slots: [first] }) =>
      withLayout(slot, ({ rowStride }) => ({
        rowStride: Math.min(rowStride, Math.max(columnsOf(slot), rowStrideOf(first))),
      })),
  ),
  inOtherSlots("slots that decay begin one row too early", decays, (slot) =>
    moved(slot, -rowStrideOf(slot)),
  ),
  inOtherSlots(
    "slots of masked steps have no gaps between rows",
    ({ mask }) => mask !== undefined,
    withoutGaps,
  ),
  inOtherSlots(
    "slots have no gaps between rows where gradients are cleared",
    ({ clearsGradient }) => clearsGradient,
    withoutGaps,
  ),
  inOtherSlots(
    "slots have no gaps between rows where the parameter has none",
    ({ parameter }) => rowStrideOf(parameter) === columnsOf(parameter),
    withoutGaps,
  ),
  inOtherSlots("slots begin one value too late", always, (slot) => moved(slot, 1)),
  inOtherSlots("slots after the first begin one row too late", always, (slot, _, i) =>
    i === 0 ? slot : moved(slot, rowStrideOf(slot)),
  ),
  inOtherSlots(
    "a slot begins as far into its struct as the parameter",
    always,
    (slot, { parameter }) =>
      parameter.layout === undefined
        ? slot
        : moved(slot, placeOf(parameter, slot) - placeOf(slot, slot)),
  ),
];

/** Where in the rows of a slot a tensor begins, counted in values. */
function placeOf({ memory }: Tensor, slot: Tensor): number {
  return (memory.byteOffset / 4) % rowStrideOf(slot);
}
