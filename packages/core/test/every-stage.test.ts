import { describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import { createOptimizer } from "../src/index.js";
import { bytecodeOf } from "../src/language/bytecode.js";
import { interpret } from "../src/language/interpret.js";
import { reference } from "../src/reference.js";
import { rules } from "../src/rules/index.js";
import { stages } from "../src/stages/index.js";

/** Every variant of every stage. */
const variants = stages.flatMap((stage) => stage.variants());

// In WGSL, a division by 0 may give anything, even where the result is not selected.
test.each(variants)("$label divides by nothing that is 0 where p, g and u are", (variant) => {
  const owner = stages.find(({ name }) => name === variant.rule)!;
  const numbers: Record<string, number> = { t: 1, learningRate: 0.1, beta2: 0.999, epsilon: 0 };
  for (const [key, { default: value }] of Object.entries(owner.hyperparameters))
    numbers[key] = value;
  const { perStep } = variant;
  const onHost = new Float64Array(perStep.nodes.length);
  for (const { name, node } of perStep.inputs) onHost[node] = numbers[name];
  interpret(bytecodeOf(perStep), onHost);
  for (const { name, node } of perStep.outputs) numbers[name] = onHost[node];
  for (const pass of variant.passPlan.passes) {
    if (pass.kind !== "map") continue;
    const { program } = pass;
    const values = new Float64Array(program.nodes.length);
    for (const { name, node } of program.inputs)
      values[node] = name.startsWith("@count") ? 1 : (numbers[name] ?? 0);
    interpret(bytecodeOf(program), values);
    const divisors = program.nodes.flatMap(({ op, operands }) =>
      op === "div" ? [values[operands[1]]] : [],
    );
    expect(divisors).not.toContain(0);
  }
});

test.each(stages)("$name leaves zeros with gradients of 0 at 0", async ({ name, updated }) => {
  const p = reference().tensor([2, 3]);
  const order = updated === "g" ? `${name}+adam` : `adam+${name}`;
  const optimizer = createOptimizer(optimizerByName(order), { p });
  for (let step = 0; step < 6; step += 1) optimizer.step({ p: new Float32Array(6) });
  expect([...(await p.read())]).toEqual([0, 0, 0, 0, 0, 0]);
});

test.each(stages)("$name adds at most one pass over elements to Adam", ({ name, updated }) => {
  const { perElement, passPlan } = optimizerByName(
    updated === "g" ? `${name}+adam` : `adam+${name}`,
  ).rule.variant();
  const isReducing = perElement.nodes.some(({ op }) => op === "sum" || op === "maximum");
  const passes = passPlan.passes.filter((pass) => pass.kind === "map" && pass.over === "element");
  expect(passes).toHaveLength(isReducing ? 2 : 1);
});

describe("names", () => {
  const namesOf = (updated: string): readonly string[] =>
    stages.filter((stage) => stage.updated === updated).map(({ name }) => name);

  test.each(rules)("all stages can be chained with $name", (rule) => {
    const { name } = rule;
    const hasUpdate = rule.texts().perElement.some(({ text }) => text.includes("p = p - u"));
    const { slots } = rule.texts();
    const onUpdate = stages.filter(
      ({ updated, reads }) =>
        hasUpdate &&
        updated === "u" &&
        (reads.slots ?? []).every((one) => Object.hasOwn(slots, one)) &&
        (reads.hyperparameters ?? []).every((one) => Object.hasOwn(rule.hyperparameters, one)),
    );
    const all = [...namesOf("g"), name, ...onUpdate.map((one) => one.name), ...namesOf("p")];
    expect(optimizerByName(all.join("+")).rule.name).toBe(all.join("+"));
  });

  test("a chain of every stage is restored from its config", () => {
    const p = reference().tensor([2, 3], [1, 2, 3, 4, 5, 6]);
    const name = [...namesOf("g"), "adam", ...namesOf("u"), ...namesOf("p")].join("+");
    const settings = { clipValue: 0.25, maxNormAxis: "row", lookaheadSteps: 7 };
    const optimizer = createOptimizer(optimizerByName(name, settings), { p });
    optimizer.step({ p: new Float32Array(6).fill(0.1) });
    const config = JSON.parse(JSON.stringify(optimizer.config()));
    expect(config.settings).toMatchObject(settings);
    expect(createOptimizer(optimizerByName(config), { p }).config()).toEqual(config);
  });
});
