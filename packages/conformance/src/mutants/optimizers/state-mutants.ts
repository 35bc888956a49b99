import type { OptimizerState, StepControlState } from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { restoring, wrapping } from "./changed-optimizers.js";

/** Restores another state of the calls between steps. */
function restoringControl(
  name: string,
  change: (control: StepControlState) => Partial<StepControlState>,
): Mutant {
  return restoring(name, (state) =>
    state.control === undefined
      ? state
      : { ...state, control: { ...state.control, ...change(state.control) } },
  );
}

function zeros<T extends Float32Array | Float64Array | Uint32Array>(
  table: Readonly<Record<string, T>>,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(table).map(([name, values]) => [name, values.map(() => 0) as T]),
  );
}

/** What a state holds besides slots and the steps of groups, and a restore may lose. */
export const stateMutants: readonly Mutant[] = [
  restoring("the steps of rows are not restored", (state) =>
    state.rowSteps === undefined ? state : { ...state, rowSteps: zeros(state.rowSteps) },
  ),
  restoring("groups that were frozen are not frozen", (state) => ({
    ...state,
    groups: state.groups.map((group) => ({ ...group, frozen: false })),
  })),
  wrapping("groups that are frozen stay frozen when a state is restored", (optimizer) => ({
    restore: (state, options) => {
      const frozen = optimizer.groups.filter((group) => group.frozen);
      const misfits = optimizer.restore(state, options);
      for (const group of frozen) group.frozen = true;
      return misfits;
    },
  })),
  wrapping("groups have the numbers of the group at their place in the state", (optimizer) => ({
    restore: (state, options) => {
      const misfits = optimizer.restore(state, options);
      const own = optimizer.config().groups;
      const groups = state.groups.map((group, i) =>
        i === 0 ? group : { ...group, parameters: own[i - 1].match as readonly string[] },
      );
      optimizer.restore({ ...state, groups }, options);
      return misfits;
    },
  })),
  wrapping("a state in the arrays of an earlier one has its values", (optimizer) => ({
    state: async (options) => {
      const state = await optimizer.state();
      return options?.reuse === undefined ? state : { ...state, slots: options.reuse.slots };
    },
  })),
  wrapping("a state in the arrays of an earlier one has one array per parameter", (optimizer) => ({
    state: async (options) => {
      const state = await optimizer.state(options);
      if (options?.reuse === undefined) return state;
      const slots = Object.entries(state.slots).map(([name, values]) => [
        name,
        Object.fromEntries(Object.keys(values).map((slot) => [slot, Object.values(values)[0]])),
      ]);
      return { ...state, slots: Object.fromEntries(slots) as OptimizerState["slots"] };
    },
  })),
  restoring("slots of the first parameter alone are restored", (state) => {
    const [first] = Object.keys(state.slots);
    const slots = Object.entries(state.slots).map(([name, values]) => [
      name,
      name === first ? values : zeros(values as Record<string, Float32Array>),
    ]);
    return { ...state, slots: Object.fromEntries(slots) as OptimizerState["slots"] };
  }),
  restoringControl("the accumulated gradients are not restored", ({ accumulated }) => ({
    accumulated: zeros(accumulated as Record<string, Float32Array>),
  })),
  restoringControl("the calls since the last step are not restored", () => ({ microSteps: 0 })),
  restoringControl("the rows that calls have selected are not restored", () => ({ rows: {} })),
  restoringControl("what happens to other rows is not restored", () => ({
    unselectedRows: "keep",
  })),
  restoringControl("the loss scale is not restored", ({ lossScale }) =>
    lossScale === undefined ? {} : { lossScale: { ...lossScale, scale: 4 } },
  ),
  restoringControl("the steps since the loss scale changed are not restored", ({ lossScale }) =>
    lossScale === undefined ? {} : { lossScale: { ...lossScale, goodSteps: 0 } },
  ),
];
