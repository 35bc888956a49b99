import type { Backend, Tensor } from "../../backend/backend.js";
import { slotShape } from "../../backend/dimensions.js";
import { sizeOf } from "../../backend/shape.js";
import { GradstepError } from "../../errors.js";
import type { Group } from "../groups/group.js";
import type { Slot, Variant } from "../../rule/variant.js";

/** The buffer pool of gradients (see `Backend.tensor`). */
export const gradientPool = 1;
const firstSlotPool = 2;

/**
 * Allocates the slots of each parameter, filled with their first values, each slot in its own pool. If memory runs out,
 * everything allocated so far is freed.
 *
 * @param shared the slots that all parameters share, by name; those that are missing are added to it
 * @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED` (a backend that cannot copy parameters)
 */
export function allocateSlots(
  backend: Backend,
  { slots, matrices }: Variant,
  parameters: readonly { readonly tensor: Tensor; readonly group: Group }[],
  shared: Map<string, Tensor>,
): Tensor[][] {
  const made: Tensor[] = [];
  const allocate = (
    { initial, extent }: Slot,
    k: number,
    parameter: Tensor,
    group: Group,
  ): Tensor => {
    const shape = slotShape(extent, parameter.shape, matrices);
    const isCopy = initial === "p";
    const first = isCopy ? 0 : typeof initial === "number" ? initial : group.get(initial);
    const values = first === 0 ? undefined : new Float64Array(sizeOf(shape)).fill(first);
    const slot = backend.tensor(shape, values, firstSlotPool + k);
    made.push(slot);
    if (isCopy) backend.copy!(parameter, slot);
    return slot;
  };
  const copied = slots.find(({ initial }) => initial === "p");
  if (copied !== undefined && backend.copy === undefined) {
    throw new GradstepError(
      `Slot ${copied.name} starts as a copy of its parameter, which backend ${backend.name} cannot make. Use another backend or rule.`,
      { code: "UNSUPPORTED" },
    );
  }
  const added = new Map<string, Tensor>();
  try {
    slots.forEach(({ extent }, k) => {
      const sizes = parameters.map(({ tensor }) =>
        sizeOf(slotShape(extent, tensor.shape, matrices)),
      );
      if (extent !== "all") backend.reserve?.(sizes, firstSlotPool + k);
    });
    const all = parameters.map(({ tensor, group }) =>
      slots.map((slot, k) => {
        const { name, extent } = slot;
        if (extent !== "all") return allocate(slot, k, tensor, group);
        const known = shared.get(name) ?? added.get(name) ?? allocate(slot, k, tensor, group);
        added.set(name, known);
        return known;
      }),
    );
    for (const [name, tensor] of added) shared.set(name, tensor);
    return all;
  } catch (error) {
    for (const slot of made) slot.free();
    throw error;
  }
}
