import { describe, expect, test } from "vitest";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import { adam } from "../src/rules/adam.js";
import { nadam } from "../src/rules/nadam.js";
import { sgd } from "../src/rules/sgd.js";
import { cosineDecay } from "../src/schedules/factories.js";
import { anything, failureOf, numbers } from "./support.js";
import { shapes, trained } from "./misfits.js";

describe("partial: true", () => {
  test("takes the slots of parameters that are the same, and leaves the others as they are", async () => {
    const state = await trained({ w: [2, 3], b: [3], old: [2] }).state();
    const optimizer = trained({ w: [2, 3], b: [4], added: [2] }, { seed: 5, steps: 1 });
    const before = await optimizer.state();
    const misfits = optimizer.restore(state, { partial: true });
    expect(misfits.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      "parameter shapes.old",
      "shape shapes.b",
      "parameter shapes.added",
    ]);
    const after = await optimizer.state();
    expect(after.slots).toEqual({
      w: state.slots.w,
      b: before.slots.b,
      added: before.slots.added,
    });
    expect(after.iterations).toBe(3);
    expect(after.groups[0].iterations).toBe(3);
    optimizer.step({ w: numbers(6, 1), b: numbers(4, 2), added: numbers(2, 3) });
  });

  test("keeps the scalars of a rule that a state does not have", async () => {
    const optimizer = trained(shapes, { spec: nadam(), steps: 2 });
    const state = await optimizer.state();
    const [{ persistentScalars }] = state.groups;
    expect(Object.keys(persistentScalars)).not.toEqual([]);
    const groups = state.groups.map((group) => ({ ...group, persistentScalars: {} }));
    const misfits = optimizer.restore({ ...state, groups }, { partial: true });
    expect(misfits).toHaveLength(Object.keys(persistentScalars).length);
    const [after] = (await optimizer.state()).groups;
    expect(after.persistentScalars).toEqual(persistentScalars);
  });

  test("takes slots of another rule by their names, and none of its hyperparameters", async () => {
    const state = await trained(shapes, { spec: nadam({ learningRate: 0.25 }) }).state();
    const optimizer = trained(shapes, {
      spec: adam({ learningRate: 0.5, amsgrad: true }),
      seed: 4,
    });
    const before = await optimizer.state();
    const misfits = optimizer.restore(state, { partial: true });
    expect(misfits.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      "rule rule",
      "slot slots.w.vMax",
      "slot slots.b.vMax",
    ]);
    const after = await optimizer.state();
    expect(after.slots.w).toEqual({ ...state.slots.w, vMax: before.slots.w.vMax });
    expect(after.hyperparameters).toEqual(before.hyperparameters);
  });

  test("finds groups by the parameters that they hold", async () => {
    const make = (order: readonly string[], learningRate: number): Optimizer =>
      trained(
        { w: [1], b: [1], c: [1] },
        { options: { groups: order.map((match, i) => ({ match, learningRate, every: i + 1 })) } },
      );
    const state = await make(["b", "c"], 0.5).state();
    const optimizer = make(["c", "b"], 0.25);
    expect(optimizer.restore(state)).toEqual([]);
    expect(
      optimizer.groups.map(({ parameters, every, iterations, learningRate }) => [
        parameters,
        every,
        iterations,
        learningRate,
      ]),
    ).toEqual([
      [["c"], 2, 1, 0.5],
      [["b"], 1, 3, 0.5],
    ]);
  });

  test("a group of which the state has no counterpart stays as it is", async () => {
    const state = await trained({ w: [1], b: [1] }).state();
    const optimizer = trained(
      { w: [1], b: [1] },
      { steps: 1, options: { groups: [{ match: "b", learningRate: 0.25 }] } },
    );
    const misfits = optimizer.restore(state, { partial: true });
    expect(misfits.map(({ path }) => path)).toEqual([
      "groups",
      "groups.0.parameters",
      "groups.1.parameters",
    ]);
    expect(optimizer.groups[0]).toMatchObject({ learningRate: 0.25, iterations: 1 });
    expect(optimizer.iterations).toBe(3);
  });

  test("takes accumulated gradients only if all of them fit", async () => {
    const options = { accumulate: 4 };
    const state = await trained({ w: [1], b: [2] }, { options }).state();
    const same = trained({ w: [1], b: [2] }, { options, steps: 0 });
    same.restore(state);
    expect(same.microSteps).toBe(3);
    const other = trained({ w: [1], b: [3] }, { options, steps: 1 });
    const paths = other.restore(state, { partial: true }).map(({ path }) => path);
    expect(paths).toEqual(["shapes.b", "control.accumulated.b"]);
    expect(other.microSteps).toBe(0);
    expect((await other.state()).control!.accumulated).toEqual({});
  });

  test("keeps the schedule of the code where that of the state is another one", async () => {
    const spec = (steps: number) => sgd({ learningRate: cosineDecay(1, steps) });
    const state = await trained({ w: [1] }, { spec: spec(10) }).state();
    const optimizer = trained({ w: [1] }, { spec: spec(20), steps: 0 });
    const misfits = optimizer.restore(state, { partial: true });
    expect(misfits).toMatchObject([{ kind: "schedule", path: "hyperparameters.learningRate" }]);
    expect(optimizer.learningRate).toBe(cosineDecay(1, 20).valueAt(3));
  });

  test("takes nothing of what is no state", async () => {
    for (const state of [null, "text", 5, [], { version: 2 }, {}, new Map()]) {
      const optimizer = trained(shapes);
      const before = await optimizer.state();
      const error = failureOf(() => optimizer.restore(anything(state), { partial: true }));
      expect(error.code).toBe("STATE_MISMATCH");
      expect(await optimizer.state()).toEqual(before);
    }
  });
});
