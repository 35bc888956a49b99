import type {
  Gradients,
  Optimizer,
  OptimizerMethods,
  OptimizerState,
  RemapOptions,
  StepOptions,
} from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { restoring, wrapping } from "./optimizer-mutants.js";

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

/** Some steps of parameters whose rows are counted update all rows. */
function ofAllRows(
  name: string,
  isAffected: (gradients: Gradients, optimizer: Optimizer) => boolean,
): Mutant {
  return wrapping(name, (optimizer, parameters) => {
    let counts: RowCounts = {};
    return {
      restore: (state, options) => {
        const misfits = optimizer.restore(state, options);
        counts = state.rowCounts ?? {};
        return misfits;
      },
      step: (gradients: Gradients, options: StepOptions = {}) => {
        const masks = Object.keys(counts).map((key) => [
          key,
          new Uint32Array(parameters[key].shape[0]).fill(1),
        ]);
        if (options.rows === undefined && masks.length > 0 && isAffected(gradients, optimizer))
          optimizer.step(gradients, { ...options, rows: Object.fromEntries(masks) });
        else optimizer.step(gradients, options);
      },
    };
  });
}

/** What comes after a restore ends the number of rows, or does not. */
function afterRestore(
  name: string,
  change: (optimizer: Optimizer, end: () => void) => Partial<OptimizerMethods<string>>,
): Mutant {
  return wrapping(name, (optimizer, parameters) => {
    let counts: RowCounts = {};
    /** A remap that moves no row, and so does nothing else. */
    const end = (): void => {
      for (const key of Object.keys(counts)) {
        const rows = parameters[key].shape[0];
        optimizer.rows(key).remap(Uint32Array.from({ length: rows }, (_, row) => row));
      }
      counts = {};
    };
    return {
      restore: (state, options) => {
        const misfits = optimizer.restore(state, options);
        counts = state.rowCounts ?? {};
        return misfits;
      },
      ...change(optimizer, end),
    };
  });
}

/** The number of rows of a state, for parameters of which a device counts the rows. */
export const rowCountMutants: readonly Mutant[] = [
  restoringCounts("the number of rows is not restored", (_, rows) => rows),
  restoringCounts("the number of rows is restored one too large", (count, rows) =>
    Math.min(count + 1, rows),
  ),
  restoringCounts("the number of rows is restored one too small", (count) => count - 1),
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
  afterRestore("the number of rows holds for one step", (optimizer, end) => ({
    step: (gradients, options) => {
      optimizer.step(gradients, options);
      end();
    },
  })),
  afterRestore("a mask ends the number of rows", (optimizer, end) => ({
    step: (gradients, options) => {
      optimizer.step(gradients, options);
      if (options?.rows !== undefined) end();
    },
  })),
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
  ofAllRows("sparse gradients update all rows, whatever their number", (gradients) =>
    Object.values(gradients ?? {}).some((one) => one && "indices" in one),
  ),
  ofAllRows("accumulated gradients update all rows, whatever their number", (_, optimizer) => {
    const { accumulate = 1 } = optimizer.config();
    return Number(accumulate) > 1;
  }),
  wrapping("options of a step hold for the rows from the number on", (optimizer, parameters) => {
    let counts: RowCounts = {};
    return {
      restore: (state, options) => {
        const misfits = optimizer.restore(state, options);
        counts = state.rowCounts ?? {};
        return misfits;
      },
      step: (gradients, options) => {
        const masks = Object.entries(counts).map(([key, count]) => [
          key,
          Uint32Array.from({ length: parameters[key].shape[0] }, (_, row) => +(row < count)),
        ]);
        const hasOwn = options?.unselectedRows !== undefined && options.rows === undefined;
        if (hasOwn && masks.length > 0)
          optimizer.step(gradients, { ...options, rows: Object.fromEntries(masks) });
        else optimizer.step(gradients, options);
      },
    };
  }),
];
