import { describe, expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { sgd } from "../src/rules/sgd.js";
import type { OptimizerState } from "../src/optimizer/state/optimizer-state.js";
import { anything, codeOf } from "./support.js";

const backend = reference();

function make(): Optimizer {
  const tensors = { w: backend.tensor([1]), w2: backend.tensor([1]) };
  const groups = [{ match: "w", learningRate: 0.5 }];
  return createOptimizer(adam(), tensors, { groups });
}

interface LooseState {
  readonly hyperparameters: Record<string, unknown>;
  readonly groups: { iterations: unknown; readonly hyperparameters: Record<string, unknown> }[];
}

/** A state, changed. */
async function changed(change: (state: LooseState) => void): Promise<OptimizerState> {
  const state = structuredClone(await make().state());
  change(anything(state));
  return state;
}

describe("a match that is a name", () => {
  test("is of that name, and not of those that contain it or are contained in it", () => {
    expect(make().groups[0].parameters).toEqual(["w"]);
    const tensors = { w: backend.tensor([1]), w2: backend.tensor([1]) };
    const { groups } = createOptimizer(adam(), tensors, { groups: [{ match: "w2" }] });
    expect(groups[0].parameters).toEqual(["w2"]);
  });
});

describe("a state", () => {
  test("has the optimizer's hyperparameters once, and of each group what it overrides", async () => {
    const { hyperparameters, groups } = await make().state();
    expect(hyperparameters).toMatchObject({ learningRate: 0.001, beta1: 0.9 });
    expect(groups.map((group) => group.hyperparameters)).toEqual([{}, { learningRate: 0.5 }]);
    expect(groups.map(({ parameters }) => parameters)).toEqual([["w2"], ["w"]]);
  });

  test("before the first step can be restored", async () => {
    const optimizer = make();
    const state = await optimizer.state();
    optimizer.step({ w: Float32Array.of(1) });
    optimizer.restore(state);
    expect(optimizer.iterations).toBe(0);
    expect(optimizer.groups[0].iterations).toBe(0);
  });

  test.each([-1, 1.5, Number.NaN, Infinity, "1", null])(
    "of which a group has %o steps is refused",
    async (iterations) => {
      const state = await changed((one) => {
        one.groups[1].iterations = iterations;
      });
      expect(codeOf(() => make().restore(state))).toBe("STATE_MISMATCH");
    },
  );

  test("has every hyperparameter of the optimizer, and `every` of groups alone", async () => {
    const without = await changed((state) => delete state.hyperparameters["beta1"]);
    expect(codeOf(() => make().restore(without))).toBe("STATE_MISMATCH");
    const withEvery = await changed((state) => (state.hyperparameters["every"] = 2));
    expect(codeOf(() => make().restore(withEvery))).toBe("STATE_MISMATCH");
    const ofGroup = await changed((state) => (state.groups[1].hyperparameters["every"] = 2));
    const optimizer = make();
    optimizer.restore(ofGroup);
    expect(optimizer.groups[0].every).toBe(2);
  });

  test("of an optimizer without groups has every hyperparameter, too", async () => {
    const plain = () => createOptimizer(adam(), { w: backend.tensor([1]) });
    const state = structuredClone(await plain().state());
    delete (state.hyperparameters as Record<string, number>)["beta1"];
    expect(codeOf(() => plain().restore(state))).toBe("STATE_MISMATCH");
  });
});

describe("a configuration", () => {
  const structuralOf = (momentum: number, ofGroup: number): readonly string[] | undefined => {
    const optimizer = createOptimizer(
      sgd({ momentum: 0.5 }),
      { w: backend.tensor([1]), b: backend.tensor([1]) },
      { groups: [{ match: "b", momentum: 0.5 }] },
    );
    optimizer.momentum = momentum;
    optimizer.groups[0].momentum = ofGroup;
    return optimizer.config().structural;
  };

  test("names what selects state although it is 0 everywhere at present", () => {
    expect(structuralOf(0, 0)).toEqual(["momentum"]);
    expect(structuralOf(0.5, 0)).toBeUndefined();
    expect(structuralOf(0, 0.5)).toBeUndefined();
  });
});

test.each([5, undefined, null, "w", true, Symbol("w"), () => 1, { backend: null }, { backend }])(
  "a parameter that is %# is refused",
  (value) => {
    const parameters = anything<Record<string, never>>({ w: value });
    expect(codeOf(() => createOptimizer(sgd(), parameters))).toBe("INVALID_PARAMETER");
  },
);
