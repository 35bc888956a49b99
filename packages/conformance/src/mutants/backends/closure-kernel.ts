import { arraysOf, emit, smallestNormal, type Emitter, type Variant } from "@gradstep/core";
import type { Run } from "../mutable-target.js";

/** Computes a value for the current element. */
type Thunk = () => number;
type Operations = Omit<Emitter<Thunk>, "number" | "input" | "share">;

const f32 = Math.fround;

/** f32, as the reference computes. */
const sound: Operations = {
  neg: (a) => () => -a(),
  abs: (a) => () => Math.abs(a()),
  sign: (a) => () => Math.sign(a()),
  flush: (a) => () => (Math.abs(a()) < smallestNormal ? 0 : a()),
  isFinite: (a) => () => (Number.isFinite(a()) ? 1 : 0),
  sqrt: (a) => () => f32(Math.sqrt(a())),
  add: (a, b) => () => f32(a() + b()),
  sub: (a, b) => () => f32(a() - b()),
  mul: (a, b) => () => f32(a() * b()),
  div: (a, b) => () => f32(a() / b()),
  min: (a, b) => () => Math.min(a(), b()),
  max: (a, b) => () => Math.max(a(), b()),
  lt: (a, b) => () => (a() < b() ? 1 : 0),
  le: (a, b) => () => (a() <= b() ? 1 : 0),
  eq: (a, b) => () => (a() === b() ? 1 : 0),
  ne: (a, b) => () => (a() === b() ? 0 : 1),
  select: (condition, a, b) => () => (condition() === 1 ? a() : b()),
};

/** The faults of a kernel: operations that are replaced by wrong ones, or outputs that are stored too early. */
export interface Faults {
  readonly operations?: Partial<Operations>;
  /** Each output is stored before the next is computed from it. */
  readonly storesEarly?: boolean;
}

/**
 * A kernel with faults; without any it gives the reference's bits. Rules of several passes and updates with a list of
 * rows are run by the reference.
 *
 * @param run runs the kernel of the reference
 */
export function closureKernel(
  run: Run,
  variant: Variant,
  { operations, storesEarly = false }: Faults,
): Run {
  const isElementwise = variant.slots.every(({ extent }) => extent === "element");
  if (!isElementwise || variant.passPlan.passes.length > 1) return run;
  const inputs = new Map<string, number>();
  const outputs = emit<Thunk>(variant.perElement, {
    ...sound,
    ...operations,
    number: (value) => () => f32(value),
    input: (name) => () => inputs.get(name)!,
    share: (value) => value,
  });
  return (updates, count) => {
    for (const update of updates.slice(0, count)) {
      if (update.rows !== undefined) {
        run([update], 1);
        continue;
      }
      const arrays = arraysOf<Float32Array>(variant, update);
      variant.scalars.forEach((name, i) => inputs.set(name, f32(update.scalars[i])));
      const { parameter, unselectedRows } = update;
      const mask = update.mask as Uint32Array | undefined;
      for (let i = 0; i < parameter.size; i += 1) {
        const row = Math.floor((i * (mask?.length ?? 1)) / parameter.size);
        const isSelected = mask === undefined || mask[row] !== 0;
        if (!isSelected && unselectedRows === "keep") continue;
        for (const [name, array] of arrays) inputs.set(name, array[i]);
        if (!isSelected) inputs.set("g", 0);
        const results: number[] = [];
        for (const { name, value } of outputs) {
          const result = value();
          results.push(result);
          if (storesEarly) inputs.set(name, result);
        }
        outputs.forEach(({ name }, k) => {
          if (isSelected || unselectedRows === "zero" || name !== "p")
            arrays.get(name)![i] = results[k];
        });
      }
    }
  };
}
