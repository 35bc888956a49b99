import { summationBlock, summationLanes, type ReduceOp } from "@gradstep/core";
import { definedArithmetic, runPasses, type PassArithmetic } from "@gradstep/core/reference";
import type { Mutant } from "../mutant.js";
import { target, withRun } from "../mutable-target.js";

const sound = definedArithmetic("f32");

/** A backend that claims the bits of the reference, and sums in another order. */
function summing(name: string, parts: Partial<PassArithmetic>): Mutant {
  const arithmetic = { ...sound, ...parts };
  const backend = withRun((_, variant) => (updates, count) => {
    runPasses([{ variant, updates: updates.slice(0, count) }], arithmetic);
  });
  const exact = () => Object.assign(backend(), { exact: true });
  return { name, kind: "backend", target: () => target({ backend: exact }) };
}

/** Reductions in which the value at a position is read at another. */
function reordered(
  name: string,
  positionAt: (position: number, count: number) => number | undefined,
): Mutant {
  return summing(name, {
    reduce: (op, count, valueAt) => {
      const length = Math.ceil(count / summationLanes) * summationLanes;
      return sound.reduce(op, length, (i) => {
        const position = positionAt(i, count);
        return position === undefined || position >= count ? undefined : valueAt(position);
      });
    },
  });
}

/** Joins blocks of another length, each reduced as defined. */
function inBlocksOf(length: number): PassArithmetic["reduce"] {
  return (op, count, valueAt) => {
    const blocks: number[] = [];
    for (let start = 0; start < count; start += length)
      blocks.push(sound.reduce(op, Math.min(length, count - start), (i) => valueAt(start + i)));
    return sound.join(op, blocks);
  };
}

function oneAfterTheOther(op: ReduceOp, values: readonly number[]): number {
  return values.reduce((total, value) => sound.join(op, [total, value]));
}

/** Sums whose values are inside every bound, but whose bits are not those that the language defines. */
export const summationMutants: readonly Mutant[] = [
  summing("blocks of half the length", { reduce: inBlocksOf(summationBlock / 2) }),
  reordered("each lane sums neighbors", (i, count) => {
    const perLane = Math.ceil(count / summationLanes);
    const [lane, turn] = [i % summationLanes, Math.floor(i / summationLanes)];
    return lane * perLane + turn;
  }),
  reordered("lanes are joined with their neighbors first", (i) => {
    const lane = i % summationLanes;
    const reversed = Number.parseInt(
      lane.toString(2).padStart(4, "0").split("").reverse().join(""),
      2,
    );
    return i - lane + reversed;
  }),
  reordered("values are summed from the last to the first", (i, count) => count - 1 - i),
  summing("tensors are joined from the last to the first", {
    join: (op, values) => sound.join(op, values.slice().reverse()),
  }),
  summing("tensors are joined one after the other", { join: oneAfterTheOther }),
];
