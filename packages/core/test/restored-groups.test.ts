import { describe, expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import type { GroupOptions } from "../src/rule/rule.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";

const backend = reference();

function make(group: Omit<GroupOptions, "match">): Optimizer<string> {
  const tensors = { w: backend.tensor([1]), s: backend.tensor([1]) };
  const groups = [{ match: "s", ...group }];
  return createOptimizer(adam(), tensors, { groups }) as unknown as Optimizer<string>;
}

function step(optimizer: Optimizer, count: number): void {
  for (let i = 0; i < count; i += 1)
    optimizer.step({ w: Float32Array.of(1), s: Float32Array.of(1) });
}

describe("restore", () => {
  test("restores the step number of a group, which does not follow from `every`", async () => {
    const saved = make({ every: 2 });
    step(saved, 5);
    saved.groups[0].every = 4;
    step(saved, 4);
    // Steps 2, 4 and 8.
    expect([saved.iterations, saved.groups[0].iterations]).toEqual([9, 3]);
    const restored = make({ every: 4 });
    restored.restore(await saved.state());
    expect([restored.iterations, restored.groups[0].iterations]).toEqual([9, 3]);
    expect(restored.groups[0].every).toBe(4);
  });

  test("replaces all overrides of a group; other hyperparameters follow the optimizer", async () => {
    const saved = make({ weightDecay: 0.25 });
    step(saved, 1);
    const restored = make({ beta1: 0.5, epsilon: 1, every: 3 });
    restored.restore(await saved.state());
    const [group] = restored.groups;
    expect(group).toMatchObject({ weightDecay: 0.25, beta1: 0.9, epsilon: 1e-7, every: 1 });
    restored.beta1 = 0.75;
    expect(group.beta1).toBe(0.75);
    expect(restored.config().groups).toEqual([{ match: ["s"], weightDecay: 0.25 }]);
  });

  test("computes missing step numbers of groups from `every`", async () => {
    const saved = make({ every: 3 });
    step(saved, 8);
    const state = structuredClone(await saved.state());
    for (const group of state.groups) delete (group as { iterations?: number }).iterations;
    const restored = make({ every: 3 });
    restored.restore(state);
    expect(restored.groups[0].iterations).toBe(2);
  });
});
