import type { Backend, Tensor } from "../../backend/backend.js";
import { slotShape } from "../../backend/dimensions.js";
import { sizeOf } from "../../backend/shape.js";
import { GradstepError } from "../../errors.js";
import type { Slot } from "../../rule/variant.js";
import type { Group } from "../groups/group.js";
import type { KernelRun } from "../groups/rule-context.js";
import type { Parameters } from "./parameter-checks.js";

/** The buffer pool of gradients (see `Backend.tensor`). */
export const gradientPool = 1;
const firstSlotPool = 2;

/** A parameter that is to be added. */
export interface NewParameter {
  readonly name: string;
  readonly tensor: Tensor;
  readonly group: Group;
  /** Those of its slots that are in caller-owned memory, by name. */
  readonly slots: Parameters;
}

/**
 * Allocates the slots of each parameter that are not in caller-owned memory, filled with their first values, each slot in
 * its own pool. Slots that the parameters of a rule share are made with its first parameter. If memory runs out, everything
 * allocated so far is freed.
 *
 * @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED` (a backend that cannot copy parameters)
 */
export function allocateSlots(backend: Backend, parameters: readonly NewParameter[]): Tensor[][] {
  for (const { group } of parameters) checkCanCopy(backend, group);
  reserveSlots(backend, parameters);
  const made: Tensor[] = [];
  const shared = new Map<KernelRun, Map<string, Tensor>>();
  const allocate = (slot: Slot, pool: number, parameter: NewParameter): Tensor => {
    const allocated = allocateSlot(backend, slot, pool, parameter);
    made.push(allocated);
    return allocated;
  };
  try {
    const all = parameters.map((parameter) => {
      const { variant, run } = parameter.group.context;
      const added = shared.get(run) ?? new Map<string, Tensor>();
      shared.set(run, added);
      return variant.slots.map((slot, k) => {
        const pool = firstSlotPool + k;
        if (Object.hasOwn(parameter.slots, slot.name)) return parameter.slots[slot.name];
        if (slot.extent !== "all") return allocate(slot, pool, parameter);
        const { name } = slot;
        const known = run.shared.get(name) ?? added.get(name) ?? allocate(slot, pool, parameter);
        added.set(name, known);
        return known;
      });
    });
    for (const [run, added] of shared)
      for (const [name, tensor] of added) run.shared.set(name, tensor);
    return all;
  } catch (error) {
    for (const slot of made) slot.free();
    throw error;
  }
}

function allocateSlot(
  backend: Backend,
  { initial, extent }: Slot,
  pool: number,
  { tensor, group }: NewParameter,
): Tensor {
  const shape = slotShape(extent, tensor.shape, group.context.variant.matrices);
  const isCopy = initial === "p";
  const first = isCopy ? 0 : typeof initial === "number" ? initial : group.get(initial);
  const values = first === 0 ? undefined : new Float64Array(sizeOf(shape)).fill(first);
  const slot = backend.tensor(shape, values, pool);
  if (isCopy) backend.copy!(tensor, slot);
  return slot;
}

/** Lets the backend place the slots of each pool in one buffer. */
function reserveSlots(backend: Backend, parameters: readonly NewParameter[]): void {
  const sizes: number[][] = [];
  for (const { tensor, group, slots: ofCaller } of parameters) {
    const { slots, matrices } = group.context.variant;
    slots.forEach(({ name, extent }, k) => {
      if (extent !== "all" && !Object.hasOwn(ofCaller, name))
        (sizes[k] ??= []).push(sizeOf(slotShape(extent, tensor.shape, matrices)));
    });
  }
  sizes.forEach((pool, k) => backend.reserve?.(pool, firstSlotPool + k));
}

/** @throws {GradstepError} `UNSUPPORTED` */
function checkCanCopy(backend: Backend, { context }: Group): void {
  const copied = context.variant.slots.find(({ initial }) => initial === "p");
  if (copied === undefined || backend.copy !== undefined) return;
  throw new GradstepError(
    `Slot ${copied.name} starts as a copy of its parameter, which backend ${backend.name} cannot make. Use another backend or rule.`,
    { code: "UNSUPPORTED" },
  );
}
