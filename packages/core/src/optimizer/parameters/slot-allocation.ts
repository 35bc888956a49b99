import type { Backend, Tensor } from "../../backend/backend.js";
import type { Group } from "../groups/group.js";
import type { Variant } from "../../rule/variant.js";

/** The buffer pool of gradients (see `Backend.tensor`). */
export const gradientPool = 1;
const firstSlotPool = 2;

/**
 * Allocates the slots of each parameter, filled with their first values, each slot in its own pool. If memory runs out,
 * everything allocated so far is freed.
 */
export function allocateSlots(
  backend: Backend,
  { slots }: Variant,
  parameters: readonly { readonly tensor: Tensor; readonly group: Group }[],
): Tensor[][] {
  const made: Tensor[] = [];
  const allocate = ({ shape, size }: Tensor, first: number, pool: number): Tensor => {
    const values = first === 0 ? undefined : new Float64Array(size).fill(first);
    const slot = backend.tensor(shape, values, pool);
    made.push(slot);
    return slot;
  };
  try {
    const sizes = parameters.map(({ tensor }) => tensor.size);
    slots.forEach((_, k) => backend.reserve?.(sizes, firstSlotPool + k));
    return parameters.map(({ tensor, group }) =>
      slots.map(({ initial }, k) => {
        const first = typeof initial === "number" ? initial : group.get(initial);
        return allocate(tensor, first, firstSlotPool + k);
      }),
    );
  } catch (error) {
    for (const slot of made) slot.free();
    throw error;
  }
}
