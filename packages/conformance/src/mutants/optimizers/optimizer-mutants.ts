import {
  createOptimizer,
  type Gradients,
  type Metrics,
  type OptimizerState,
  type StepOptions,
} from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { keepBits } from "../backends/narrow-rounding.js";
import { target } from "../mutable-target.js";
import { restoring, without, withOptions, wrapping } from "./changed-optimizers.js";

/** The same state with other values in its slots. */
function withSlots(state: OptimizerState, change: (value: number) => number): OptimizerState {
  const slots = Object.entries(state.slots).map(([name, values]) => [
    name,
    Object.fromEntries(Object.entries(values).map(([slot, array]) => [slot, array.map(change)])),
  ]);
  return { ...state, slots: Object.fromEntries(slots) };
}

/** The optimizer around rule and backend: what it forgets, or does in the wrong order. */
export const optimizerMutants: readonly Mutant[] = [
  {
    name: "groups have the rule of the optimizer, whatever rule they were given",
    kind: "optimizer",
    target: () =>
      target({
        create: (spec, parameters, { groups = [], ...options } = {}) =>
          createOptimizer(spec, parameters, {
            ...options,
            groups: groups.map((group) =>
              Object.fromEntries(Object.entries(group).filter(([key]) => key !== "rule")),
            ) as unknown as typeof groups,
          }),
      }),
  },
  wrapping("swap leaves the weights as they are", (optimizer) => ({
    swap: () => {
      optimizer.swap();
      optimizer.swap();
    },
  })),
  wrapping("reset leaves slots as they are", () => ({ reset: () => {} })),
  wrapping("reset covers all parameters", (optimizer) => ({
    reset: (_, options) => optimizer.reset(undefined, options),
  })),
  wrapping("reset covers all rows", (optimizer) => ({
    reset: (names, { columns } = {}) => optimizer.reset(names, columns && { columns }),
  })),
  wrapping("reset covers one column more", (optimizer, parameters) => ({
    reset: (names, { columns, ...options } = {}) => {
      const all = typeof names === "string" ? [names] : (names ?? optimizer.parameters);
      const widths = all.map((name) => {
        const { size, shape } = parameters[name];
        return size / shape[0];
      });
      const [from, to] = columns ?? [];
      const isLast = to === undefined || to >= Math.min(...widths);
      optimizer.reset(names, {
        ...options,
        ...(columns && { columns: isLast ? columns : [from!, to + 1] }),
      });
    },
  })),
  withOptions("gradients are not accumulated", (options) => without(options, "accumulate")),
  withOptions("a step takes one gradient more", ({ accumulate = 0, ...options }) =>
    accumulate > 0 ? { ...options, accumulate: accumulate + 1 } : options,
  ),
  withOptions("a step with a gradient that is not finite is taken", (options) =>
    without(options, "nonFinite"),
  ),
  wrapping("of several calls, the gradients of the last make the step", (optimizer) => ({
    step: (gradients: Gradients, options?: StepOptions) => {
      const { accumulate = 1 } = optimizer.config();
      const isLast = optimizer.microSteps === accumulate - 1;
      const ignored = Object.fromEntries(
        Object.entries(gradients ?? {}).map(([name, gradient]) => [
          name,
          ArrayBuffer.isView(gradient) ? gradient.map(() => 0) : gradient,
        ]),
      );
      optimizer.step(isLast ? gradients : ignored, options);
    },
  })),
  wrapping("metrics are those of the step before", (optimizer) => {
    let last: Metrics | undefined;
    return {
      metrics: async () => {
        const found = await optimizer.metrics();
        const stale = last ?? found;
        last = found;
        return stale;
      },
    };
  }),
  restoring("the step number is not restored", (state) => ({ ...state, iterations: 0 })),
  restoring("the step number is restored one too small", (state) => ({
    ...state,
    iterations: Math.max(0, state.iterations - 1),
  })),
  restoring("slots are not restored", (state) => withSlots(state, () => 0)),
  restoring("persistent scalars are not restored", (state) => ({
    ...state,
    groups: state.groups.map((group) => ({
      ...group,
      persistentScalars: Object.fromEntries(
        Object.keys(group.persistentScalars).map((name) => [name, 1]),
      ),
    })),
  })),
  restoring("slots are restored with 16 bits", (state) =>
    withSlots(state, (value) => keepBits(value, 16)),
  ),
  restoring("the groups' own step numbers are not restored", (state) => ({
    ...state,
    groups: state.groups.map((group) => ({ ...group, iterations: 0 })),
  })),
  restoring("a group's step number follows from every, whatever was saved", (state) => ({
    ...state,
    groups: state.groups.map(({ parameters, hyperparameters, persistentScalars }) => ({
      parameters,
      hyperparameters,
      persistentScalars,
    })),
  })),
  wrapping("what a group overrides is merged with what it had, and not replaced", (optimizer) => ({
    restore: (state: OptimizerState) => {
      const { groups } = optimizer.config();
      optimizer.restore(state);
      const merged = state.groups.map((group, i) => {
        const { match: _, ...before } = groups[i - 1] ?? { match: "" };
        return i === 0
          ? group
          : { ...group, hyperparameters: { ...before, ...group.hyperparameters } };
      });
      return optimizer.restore({ ...state, groups: merged as OptimizerState["groups"] });
    },
  })),
  wrapping("other rows are treated as in the last masked step", (optimizer) => {
    let last: StepOptions["unselectedRows"];
    return {
      step: (gradients: Gradients, options?: StepOptions) => {
        last = options?.unselectedRows ?? last;
        if (options?.rows === undefined || last === undefined) optimizer.step(gradients, options);
        else optimizer.step(gradients, { ...options, unselectedRows: last });
      },
    };
  }),
  wrapping("gradients are taken by their position and not by their names", (optimizer) => ({
    step: (gradients: Gradients, options?: StepOptions) => {
      const given = Object.entries(gradients ?? {});
      const names = optimizer.parameters.filter((name) => gradients?.[name]);
      const sizes = given.map(([, one]) => (one as Float32Array | undefined)?.length);
      const isMixed = names.length < given.length || new Set(sizes).size > 1;
      const moved = isMixed
        ? gradients
        : Object.fromEntries(given.map(([, gradient], i) => [names[i], gradient]));
      optimizer.step(moved, options);
    },
  })),
  restoring("the groups' own rates are not restored", (state) => ({
    ...state,
    groups: state.groups.map((group) => ({ ...group, hyperparameters: {} })),
  })),
  wrapping("a missing gradient is taken for zeros", (optimizer, parameters) => ({
    step: (gradients: Gradients) => {
      const missing = Object.entries(parameters)
        .filter(([name]) => (gradients?.[name] ?? undefined) === undefined)
        .map(([name, { size }]) => [name, new Float32Array(size)]);
      const isEmpty = gradients === null || Object.values(gradients).every((one) => !one);
      optimizer.step(isEmpty ? gradients : { ...gradients, ...Object.fromEntries(missing) });
    },
  })),
  wrapping(
    "with accumulate, a gradient that is missing in a step is zeros",
    (optimizer, parameters) => {
      const known = new Map<string, number>();
      return {
        step: (gradients: Gradients, options?: StepOptions) => {
          const { accumulate = 1 } = optimizer.config();
          for (const [name, gradient] of Object.entries(gradients ?? {}))
            if (gradient && parameters[name] !== undefined) known.set(name, parameters[name].size);
          const missing = [...known]
            .filter(([name]) => !gradients[name] && optimizer.parameters.includes(name))
            .map(([name, size]) => [name, new Float32Array(size)]);
          optimizer.step(
            accumulate > 1 ? { ...Object.fromEntries(missing), ...gradients } : gradients,
            options,
          );
        },
      };
    },
  ),
  wrapping("gradients are checked one by one, between updates", (optimizer) => ({
    step: (gradients: Gradients) => {
      const { groups } = optimizer;
      const entries = Object.entries(gradients ?? {}).filter(
        ([, one]) => one !== undefined && one !== null,
      );
      if (entries.length < 2 || groups.length === 0 || optimizer.iterations === 0) {
        optimizer.step(gradients);
        return;
      }
      for (const [name, gradient] of entries) optimizer.step({ [name]: gradient });
    },
  })),
  wrapping("an unknown gradient is ignored", (optimizer) => ({
    step: (gradients: Gradients) => {
      optimizer.step(
        Object.fromEntries(
          Object.entries(gradients ?? {}).filter(([name]) => optimizer.parameters.includes(name)),
        ),
      );
    },
  })),
  wrapping("a gradient of another length is cut", (optimizer, parameters) => ({
    step: (gradients: Gradients) => {
      optimizer.step(
        gradients &&
          Object.fromEntries(
            Object.entries(gradients).map(([name, one]) => [
              name,
              one instanceof Float32Array && one.length > (parameters[name]?.size ?? Infinity)
                ? one.slice(0, parameters[name].size)
                : one,
            ]),
          ),
      );
    },
  })),
  wrapping("the state is the live slots", (optimizer) => {
    let last: OptimizerState | undefined;
    return {
      state: async () => {
        const state = await optimizer.state();
        last ??= state;
        for (const [name, slots] of Object.entries(state.slots))
          for (const [slot, values] of Object.entries(slots)) last.slots[name]?.[slot]?.set(values);
        return { ...state, slots: last.slots };
      },
    };
  }),
  wrapping("dispose frees the parameters, too", (optimizer, parameters) => ({
    dispose: () => {
      optimizer.dispose();
      for (const tensor of Object.values(parameters)) tensor.free();
    },
  })),
];
