import type { Gradients, SparseGradient, StepOptions } from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { withOptions, wrapping } from "./changed-optimizers.js";

/** Entries of a sparse gradient of arrays: a row, and its values. */
type Entry = readonly [row: number, values: readonly number[]];

/** Changes the entries of each sparse gradient. */
function changing(
  name: string,
  change: (entries: readonly Entry[], rows: number) => readonly Entry[],
): Mutant {
  return wrapping(name, (optimizer, parameters) => ({
    step: (gradients: Gradients, options?: StepOptions) => {
      const changed = Object.entries(gradients ?? {}).map(([key, gradient]) =>
        isSparse(gradient)
          ? [key, fromEntries(gradient, change(entriesOf(gradient), parameters[key].shape[0]))]
          : [key, gradient],
      );
      optimizer.step(gradients && Object.fromEntries(changed), options);
    },
  }));
}

function isSparse(gradient: Gradients[string]): gradient is SparseGradient {
  return gradient !== null && typeof gradient === "object" && "indices" in gradient;
}

function entriesOf({ indices, values }: SparseGradient): readonly Entry[] {
  const rows = [...(indices as Uint32Array)];
  const all = [...(values as Float32Array)];
  const columns = all.length / rows.length;
  return rows.map((row, i) => [row, all.slice(i * columns, (i + 1) * columns)]);
}

function fromEntries({ indices }: SparseGradient, entries: readonly Entry[]): SparseGradient {
  const Kind = indices.constructor as Uint32ArrayConstructor;
  return {
    indices: Kind.from(entries.map(([row]) => row)),
    values: Float32Array.from(entries.flatMap(([, values]) => [...values])),
  };
}

/** Sparse gradients, and rows that count their own steps. */
export const sparseMutants: readonly Mutant[] = [
  changing("of several gradients of a row, the last counts", (entries) => [
    ...new Map<number, Entry>(entries.map((entry) => [entry[0], entry])).values(),
  ]),
  changing("the gradients of a row are added in the opposite order", (entries) =>
    [...entries].reverse(),
  ),
  changing("rows are those of sorted indices, values are not", (entries) => {
    const sorted = entries.map(([row]) => row).sort((a, b) => a - b);
    return entries.map(([, values], i) => [sorted[i], values]);
  }),
  changing("the last entry is left out", (entries) => entries.slice(0, -1)),
  changing("the last row of a parameter is left out", (entries, rows) =>
    entries.filter(([row]) => row !== rows - 1),
  ),
  wrapping("rows that a remap has added have no sparse gradient", (optimizer, parameters) => {
    const first = Object.entries(parameters).map(([key, { shape }]) => [key, shape[0]] as const);
    const rows = new Map(first);
    return {
      step: (gradients: Gradients, options?: StepOptions) => {
        const changed = Object.entries(gradients ?? {}).map(([key, gradient]) => {
          if (!isSparse(gradient)) return [key, gradient];
          const kept = entriesOf(gradient).filter(([row]) => row < rows.get(key)!);
          return [key, fromEntries(gradient, kept)];
        });
        optimizer.step(gradients && Object.fromEntries(changed), options);
      },
    };
  }),
  wrapping("values of a longer sparse gradient stay behind those of the next", (optimizer) => {
    let last: readonly Entry[] = [];
    return {
      step: (gradients: Gradients, options?: StepOptions) => {
        const changed = Object.entries(gradients ?? {}).map(([key, gradient]) => {
          if (!isSparse(gradient) || optimizer.config().nonFinite !== "skip")
            return [key, gradient];
          const entries = entriesOf(gradient);
          const behind = last.slice(entries.length);
          last = entries;
          return [key, fromEntries(gradient, [...entries, ...behind])];
        });
        optimizer.step(gradients && Object.fromEntries(changed), options);
      },
    };
  }),
  wrapping("the rows of a mask from the 257th on are left out", (optimizer) => ({
    step: (gradients: Gradients, options?: StepOptions) => {
      const rows = options?.rows;
      if (!ArrayBuffer.isView(rows)) optimizer.step(gradients, options);
      else
        optimizer.step(gradients, {
          ...options,
          rows: rows.map((row, i) => (i < 256 ? row : 0)),
        });
    },
  })),
  changing("rows whose gradient is 0 are left out", (entries) =>
    entries.filter(([, values]) => values.some((value) => value !== 0)),
  ),
  withOptions("lazy steps are dense", (options) =>
    options.sparse === "lazy" && options.rowSteps !== true
      ? { ...options, sparse: "dense" }
      : options,
  ),
  withOptions("dense steps are lazy", (options) =>
    options.sparse === "dense" ? { ...options, sparse: "lazy" } : options,
  ),
  withOptions("rows do not count their own steps", (options) =>
    options.rowSteps === true ? { ...options, rowSteps: false } : options,
  ),
];
