// A rule or stage of one's own has no version: its text is part of the state.
import { expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import type { OptimizerState } from "../src/optimizer/state/optimizer-state.js";
import { reference } from "../src/reference.js";
import { chain } from "../src/rule/chain.js";
import { defineRule } from "../src/rule/define-rule.js";
import { defineStage } from "../src/rule/define-stage.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { adam } from "../src/rules/adam.js";
import { failureOf, numbers } from "./support.js";

const momentum = (perElement: string): OptimizerSpec =>
  defineRule({
    name: "heavy-ball",
    hyperparameters: { learningRate: { default: 0.1, min: 0 }, beta: { default: 0.9, min: 0 } },
    slots: { m: 0 },
    structural: ["beta"],
    perElement,
  })();

const scaled = (perElement: string): OptimizerSpec =>
  chain(
    defineStage({
      name: "scaled",
      hyperparameters: { factor: { default: 2, min: 0 } },
      perElement,
    })(),
    adam(),
  );

const inGroup = (perElement: string): OptimizerSpec => ({
  ...adam(),
  groups: [{ match: "b", rule: momentum(perElement) }],
});

function trained(spec: OptimizerSpec, steps = 2): Optimizer {
  const backend = reference();
  const parameters = { w: backend.tensor([2], numbers(2, 1)), b: backend.tensor([2]) };
  const optimizer = createOptimizer(spec, parameters) as unknown as Optimizer;
  for (let i = 0; i < steps; i += 1) optimizer.step({ w: numbers(2, i), b: numbers(2, 9 + i) });
  return optimizer;
}

const first = "m = beta * m + g; u = learningRate * m";
const sameText = `
  # The same with other white space.
  m = beta*m + g
  u = learningRate*m`.replace(/ *#.*\n/, "");
const other = "m = beta * m - g; u = learningRate * m";

test.each<[string, (text: string) => OptimizerSpec, texts: readonly string[], path: string]>([
  ["a rule", momentum, [first, sameText, other], "fingerprint"],
  ["a stage", scaled, ["g = g * factor", "g = g*factor", "g = g / factor"], "fingerprint"],
  ["the rule of a group", inGroup, [first, sameText, other], "groups.1.fingerprint"],
])("%s whose mathematics changed is a misfit", async (_, make, [text, same, changed], path) => {
  const state = structuredClone(await trained(make(text)).state());
  const again = trained(make(same), 5);
  again.restore(state);
  expect(await again.state()).toEqual(state);
  const next = trained(make(changed), 5);
  const { code, misfits, message } = failureOf(() => next.restore(state));
  expect(code).toBe("STATE_MISMATCH");
  expect(misfits).toMatchObject([{ kind: "rule", path }]);
  expect(message).toContain("{ partial: true } to go on with the new one");
  expect(next.iterations).toBe(5);
  expect(next.restore(state, { partial: true })).toHaveLength(1);
  const { slots, hyperparameters } = await next.state();
  expect({ slots, hyperparameters }).toEqual({
    slots: state.slots,
    hyperparameters: state.hyperparameters,
  });
});

test("a hyperparameter that selects a simpler text at 0 makes no difference", async () => {
  const spec = momentum(first);
  const state = await trained(spec).state();
  const without = { ...spec, hyperparameters: { ...spec.hyperparameters, weightDecay: 0.1 } };
  expect(() => trained(without).restore(state)).not.toThrow();
});

test("built-in rules, and states without a text, are compared by name", async () => {
  const state: OptimizerState = await trained(adam()).state();
  expect(state.fingerprint).toBe(undefined);
  const { fingerprint, ...plain } = await trained(momentum(first)).state();
  expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
  expect(() => trained(momentum(other)).restore(plain)).not.toThrow();
});
