import {
  arraysOf,
  flushedSlotsOf,
  newRow,
  type RowMove,
  type RowSources,
  type Update,
} from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { target, withChange, withRun } from "../mutable-target.js";

function moving(
  name: string,
  change: (moves: readonly RowMove[], sources: RowSources) => [readonly RowMove[], RowSources],
): Mutant {
  const backend = withChange((broken) => {
    const remap = broken.remap!.bind(broken);
    broken.remap = (moves, sources) => {
      if (moves.length === 0) remap(moves, sources);
      else remap(...change(moves, sources));
    };
  });
  return { name, kind: "backend", target: () => target({ backend }) };
}

function masking(name: string, change: (update: Update) => Update): Mutant {
  const backend = withRun((run) => (updates, count) => {
    run(
      updates
        .slice(0, count)
        .map((update) => (update.mask === undefined ? update : change(update))),
      count,
    );
  });
  return { name, kind: "backend", target: () => target({ backend }) };
}

const u32 = (values: unknown): Uint32Array => values as Uint32Array;
const flagsOf = ({ reset }: RowMove): Uint32Array | undefined =>
  typeof reset === "string" ? undefined : u32(reset);

/** Rows that are masked or moved wrongly. */
export const rowMutants: readonly Mutant[] = [
  masking("masks are ignored", (update) => ({ ...update, mask: undefined })),
  masking("a row is stepped only where its mask is 1", (update) => ({
    ...update,
    mask: u32(update.mask).map((value) => (value === 1 ? 1 : 0)),
  })),
  masking("a row takes the mask of the row before", (update) => ({
    ...update,
    mask: u32(update.mask).map((_, i, mask) => mask[Math.max(0, i - 1)]),
  })),
  masking("the last row is always stepped", (update) => ({
    ...update,
    mask: u32(update.mask).map((value, i, { length }) => (i === length - 1 ? 1 : value)),
  })),
  {
    name: "tensors that have shared a mask share that of the first of them",
    kind: "backend",
    target: () =>
      target({
        backend: withRun((run) => {
          const sharedWith = new Map<Update["parameter"], Update["parameter"]>();
          return (updates, count) => {
            const own = updates.slice(0, count);
            for (const { parameter, mask } of own) {
              const first = own.find((one) => mask !== undefined && one.mask === mask);
              if (first !== undefined && first.parameter !== parameter)
                sharedWith.set(parameter, first.parameter);
            }
            run(
              own.map((update) => {
                const first = sharedWith.get(update.parameter);
                const mask = own.find(({ parameter }) => parameter === first)?.mask;
                return update.mask === undefined || mask === undefined
                  ? update
                  : { ...update, mask };
              }),
              count,
            );
          };
        }),
      }),
  },
  masking("other rows are kept when they should decay", (update) => ({
    ...update,
    unselectedRows: "keep",
  })),
  masking("parameters of other rows move when slots alone should decay", (update) => ({
    ...update,
    unselectedRows: update.unselectedRows === "decay" ? "zero" : update.unselectedRows,
  })),
  masking("parameters of other rows stay when all should be stepped", (update) => ({
    ...update,
    unselectedRows: update.unselectedRows === "zero" ? "decay" : update.unselectedRows,
  })),
  {
    name: "small values are cleared in all rows, and not in those of the mask",
    kind: "backend",
    target: () =>
      target({
        backend: withRun((run, variant) => (updates, count) => {
          for (const update of updates.slice(0, count)) {
            if (update.mask === undefined) continue;
            const arrays = arraysOf<Float32Array>(variant, update);
            for (const { slot, threshold } of flushedSlotsOf(variant.perElement)) {
              const limit = update.scalars[variant.scalars.indexOf(threshold)];
              const values = arrays.get(slot)!;
              values.set(values.map((value) => (Math.abs(value) < limit ? 0 : value)));
            }
          }
          run(updates, count);
        }),
      }),
  },
  {
    name: "small values are cleared in the rows of a mask alone, also if others are updated",
    kind: "backend",
    target: () =>
      target({
        backend: withRun((run, variant) => (updates, count) => {
          const thresholds = flushedSlotsOf(variant.perElement).map((one) =>
            variant.scalars.indexOf(one.threshold),
          );
          const isAffected = ({ mask, unselectedRows, scalars }: Update): boolean =>
            mask !== undefined &&
            unselectedRows !== "keep" &&
            thresholds.some((threshold) => scalars[threshold] > 0);
          for (const update of updates.slice(0, count)) {
            if (!isAffected(update)) {
              run([update], 1);
              continue;
            }
            run([{ ...update, unselectedRows: "keep" }], 1);
            const mask = u32(update.mask);
            const arrays = [...arraysOf<Float32Array>(variant, update).values()];
            const before = arrays.map((values) => values.slice());
            const scalars = update.scalars.map((value, i) => (thresholds.includes(i) ? 0 : value));
            run([{ ...update, scalars, mask: mask.map(() => 0) }], 1);
            arrays.forEach((values, k) => {
              const rowLength = values.length / mask.length;
              before[k].forEach((value, i) => {
                if (mask[Math.floor(i / rowLength)] !== 0) values[i] = value;
              });
            });
          }
        }),
      }),
  },
  moving("rows that are reset keep their slots", (moves, sources) => [
    moves.map((move) => (flagsOf(move) === undefined ? move : { ...move, reset: "added" })),
    sources,
  ]),
  moving("a new row is the first", (moves, sources) => [
    moves,
    { ...sources, indices: u32(sources.indices).map((row) => (row === newRow ? 0 : row)) },
  ]),
  moving("a new row has the slots of zeros", (moves, sources) => [
    moves.map((move) => ({ ...move, initial: 0 })),
    sources,
  ]),
  moving("parameters are reset with their slots", (moves, sources) => {
    const flags = moves.map(flagsOf).find((one) => one !== undefined);
    const resetAll = (move: RowMove): RowMove =>
      move.reset === "added" && flags !== undefined ? { ...move, reset: flags } : move;
    return [moves.map(resetAll), sources];
  }),
  moving("what was summed is lost in rows whose slots are reset", (moves, sources) => {
    const flags = moves.map(flagsOf).find((one) => one !== undefined);
    const resetSum = (move: RowMove): RowMove =>
      Object.is(move.initial, -0) && flags !== undefined ? { ...move, reset: flags } : move;
    return [moves.map(resetSum), sources];
  }),
  moving("a row is reset only where resetRows is 1", (moves, sources) => [
    moves.map((move) => {
      const reset = flagsOf(move)?.map((flag) => (flag === 1 ? 1 : 0));
      return reset === undefined ? move : { ...move, reset };
    }),
    sources,
  ]),
  moving("indices are read from the other end", (moves, sources) => [
    moves,
    { ...sources, indices: u32(sources.indices).slice().reverse() },
  ]),
  moving("the last row is left as it was", (moves, sources) => {
    const { indices, count } = sources;
    const rows = moves[0].tensor.shape[0];
    return [
      moves,
      {
        ...sources,
        indices: u32(indices).map((row, i) => (i === count - 1 ? Math.min(i, rows - 1) : row)),
      },
    ];
  }),
  moving("rows are moved one after the other in the same memory", (moves, sources) => {
    const rows = moves[0].tensor.shape[0];
    const from = u32(sources.indices).slice();
    // A source row that was overwritten earlier in this loop has the values it was overwritten with.
    for (let i = 0; i < from.length; i += 1)
      if (from[i] < i && from[i] < rows) from[i] = from[from[i]];
    return [moves, { ...sources, indices: from }];
  }),
  moving("gradients are moved with their rows", (moves, sources) => [
    moves.map((move) => (move.reset === "all" ? { ...move, reset: "added" } : move)),
    sources,
  ]),
];
