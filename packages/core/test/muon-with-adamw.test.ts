import { describe, expect, test } from "vitest";
import { createOptimizer, muonWithAdamw } from "../src/index.js";
import { oracle } from "../src/reference.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { anything, codeOf } from "./support.js";

describe("muonWithAdamw", () => {
  const shapes = {
    "embed/table": [3, 2],
    "hidden/kernel": [2, 2],
    "hidden/bias": [2],
    "conv/kernel": [2, 1, 2],
    "head/kernel": [2, 3],
  };

  function groupsOf(spec: OptimizerSpec): readonly string[] {
    const backend = oracle();
    const parameters = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape)]),
    );
    return createOptimizer(spec, parameters).groups[0].parameters;
  }

  test("AdamW has all but the matrices between", () => {
    expect(groupsOf(muonWithAdamw())).toEqual([
      "embed/table",
      "hidden/bias",
      "conv/kernel",
      "head/kernel",
    ]);
    expect(groupsOf(muonWithAdamw({ exclude: /^head/g }))).toEqual([
      "hidden/bias",
      "conv/kernel",
      "head/kernel",
    ]);
  });

  test("each rule has its settings", () => {
    const spec = muonWithAdamw({
      muon: { learningRate: 0.02, momentum: 0.9 },
      adamw: { learningRate: 3e-4, weightDecay: 0.1 },
    });
    const backend = oracle();
    const optimizer = createOptimizer(spec, {
      kernel: backend.tensor([2, 2]),
      bias: backend.tensor([2]),
    });
    expect(optimizer.momentum).toBe(0.9);
    expect(optimizer.learningRate).toBe(0.02);
    const [group] = optimizer.groups as unknown as Record<string, number>[];
    expect([group.learningRate, group.weightDecay, group.beta2]).toEqual([3e-4, 0.1, 0.999]);
  });

  test("a model of matrices alone has nothing for AdamW", async () => {
    const p = oracle().tensor([2, 2]);
    const optimizer = createOptimizer(muonWithAdamw(), { p });
    optimizer.step({ p: Float64Array.of(1, 0, 0, 1) });
    expect(optimizer.groups[0].parameters).toEqual([]);
    expect((await p.read())[0]).not.toBe(0);
  });

  test.each([/.*/, /(?:)/, "embed"])(
    "refuses the pattern %s, which leaves nothing to Muon",
    (exclude) => {
      expect(codeOf(() => muonWithAdamw({ exclude: anything(exclude) }))).toBe(
        "INVALID_HYPERPARAMETER",
      );
    },
  );

  test("refuses settings that it does not know", () => {
    expect(codeOf(() => muonWithAdamw(anything({ adam: {} })))).toBe("UNKNOWN_OPTION");
  });
});
