import type {
  Gradients,
  Optimizer,
  OptimizerMethods,
  OptimizerState,
  RemapOptions,
  StepOptions,
  Tensor,
} from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { restoring, wrapping } from "./changed-optimizers.js";

type RowCounts = NonNullable<OptimizerState["rowCounts"]>;

/** Restores another number of rows. */
function restoringCounts(name: string, change: (count: number, rows: number) => number): Mutant {
  return restoring(name, ({ rowCounts, ...state }) => {
    if (rowCounts === undefined) return state;
    const changed = Object.entries(rowCounts).map(([key, count]) => [
      key,
      change(count, state.shapes[key][0]),
    ]);
    return { ...state, rowCounts: Object.fromEntries(changed) as RowCounts };
  });
}

/** The row counts of the state that was restored last. */
interface Restored {
  counts: RowCounts;
}

/** Behaves differently while row counts of a restored state hold. */
function afterRestore(
  name: string,
  change: (
    optimizer: Optimizer,
    parameters: Readonly<Record<string, Tensor>>,
    restored: Restored,
  ) => Partial<OptimizerMethods<string>>,
): Mutant {
  return wrapping(name, (optimizer, parameters) => {
    const restored: Restored = { counts: {} };
    return {
      restore: (state, options) => {
        const misfits = optimizer.restore(state, options);
        restored.counts = state.rowCounts ?? {};
        return misfits;
      },
      ...change(optimizer, parameters, restored),
    };
  });
}

/** A mask for each parameter whose rows are counted. */
function masksOf(
  { counts }: Restored,
  parameters: Readonly<Record<string, Tensor>>,
  isSelected: (row: number, count: number) => boolean,
): Readonly<Record<string, Uint32Array>> | undefined {
  const masks = Object.entries(counts).map(([key, count]) => [
    key,
    Uint32Array.from({ length: parameters[key].shape[0] }, (_, row) => +isSelected(row, count)),
  ]);
  return masks.length === 0 ? undefined : Object.fromEntries(masks);
}

/** Some steps without a mask get one for each parameter whose rows are counted. */
function masking(
  name: string,
  isSelected: (row: number, count: number) => boolean,
  isAffected: (optimizer: Optimizer, gradients: Gradients, options?: StepOptions) => boolean,
): Mutant {
  return afterRestore(name, (optimizer, parameters, restored) => ({
    step: (gradients: Gradients, options?: StepOptions) => {
      const rows = masksOf(restored, parameters, isSelected);
      if (
        options?.rows === undefined &&
        rows !== undefined &&
        isAffected(optimizer, gradients, options)
      )
        optimizer.step(gradients, { ...options, rows });
      else optimizer.step(gradients, options);
    },
  }));
}

/** Some steps end the row counts. */
function ending(name: string, isAffected: (options?: StepOptions) => boolean): Mutant {
  return afterRestore(name, (optimizer, parameters, restored) => ({
    step: (gradients, options) => {
      optimizer.step(gradients, options);
      if (!isAffected(options)) return;
      // A remap that moves no row does nothing else.
      for (const key of Object.keys(restored.counts)) {
        const rows = parameters[key].shape[0];
        optimizer.rows(key).remap(Uint32Array.from({ length: rows }, (_, row) => row));
      }
      restored.counts = {};
    },
  }));
}

/** The number of rows of a state, for parameters of which a device counts the rows. */
export const rowCountMutants: readonly Mutant[] = [
  restoringCounts("the number of rows is not restored", (_, rows) => rows),
  restoringCounts("the number of rows is restored one too large", (count, rows) =>
    Math.min(count + 1, rows),
  ),
  restoringCounts("the number of rows is restored one too small", (count) => count - 1),
  restoring(
    "the number of rows of one parameter is restored for all",
    ({ rowCounts, ...state }) => {
      if (rowCounts === undefined) return state;
      const [first] = Object.values(rowCounts);
      const counts = Object.keys(rowCounts).map((name) => [
        name,
        Math.min(first, state.shapes[name][0]),
      ]);
      return { ...state, rowCounts: Object.fromEntries(counts) as RowCounts };
    },
  ),
  wrapping("states have no number of rows", (optimizer) => ({
    state: async () => {
      const { rowCounts: _, ...state } = await optimizer.state();
      return state;
    },
  })),
  wrapping("a state without a number of rows leaves the number as it was", (optimizer) => {
    let last: RowCounts | undefined;
    return {
      restore: (state, options) => {
        last = state.rowCounts ?? last;
        return optimizer.restore(
          last === undefined ? state : { ...state, rowCounts: last },
          options,
        );
      },
    };
  }),
  ending("the number of rows holds for one step", () => true),
  ending("a mask ends the number of rows", (options) => options?.rows !== undefined),
  wrapping("a remap does not end the number of rows", (optimizer) => {
    let last: OptimizerState | undefined;
    return {
      restore: (state, options) => {
        last = state.rowCounts === undefined ? undefined : state;
        return optimizer.restore(state, options);
      },
      rows: (names) => {
        const rows = optimizer.rows(names);
        const remap = (indices: Uint32Array, options?: RemapOptions): void => {
          rows.remap(indices, options);
          if (last !== undefined) optimizer.restore(last);
        };
        return new Proxy(rows, {
          get: (of, key) => {
            const value: unknown = key === "remap" ? remap : Reflect.get(of, key, of);
            return typeof value === "function" ? (value.bind(of) as unknown) : value;
          },
        });
      },
    };
  }),
  masking(
    "sparse gradients update all rows, whatever their number",
    () => true,
    (_, gradients) => Object.values(gradients ?? {}).some((one) => one && "indices" in one),
  ),
  masking(
    "accumulated gradients update all rows, whatever their number",
    () => true,
    (optimizer) => Number(optimizer.config().accumulate ?? 1) > 1,
  ),
  afterRestore(
    "the rows from the number on are treated as those that the mask before left out",
    (optimizer, parameters, restored) => {
      let last: StepOptions["unselectedRows"];
      return {
        step: (gradients: Gradients, options?: StepOptions) => {
          const rows = masksOf(restored, parameters, (row, count) => row < count);
          if (options !== undefined || rows === undefined || last === undefined)
            optimizer.step(gradients, options);
          else optimizer.step(gradients, { rows, unselectedRows: last });
          last = options?.unselectedRows;
        },
      };
    },
  ),
  masking(
    "options of a step hold for the rows from the number on",
    (row, count) => row < count,
    (_, __, options) => options?.unselectedRows !== undefined,
  ),
];
