import { adam, decayRate, defineRule, nonNegative, variantOf } from "@gradstep/core";
import { expect, test } from "vitest";
import { generate } from "../src/generate.js";
import { cpuJs } from "../src/index.js";
import { compiled } from "./compile.js";
import { afterSteps, codeOf, numbers } from "./support.js";

const signum = defineRule({
  name: "signum",
  hyperparameters: { learningRate: nonNegative(1e-3), beta: decayRate(0.9) },
  slots: { m: 0 },
  perStep: "c = 1 - beta",
  perElement: `
    m = m + (g - m) * c
    p = p - sign(m) * learningRate
  `,
});

test("writes JavaScript, for what defineRule returned and for its rule", async () => {
  const source = generate(signum);
  expect(source).toBe(generate(signum.rule));
  expect(source).toContain("export const signumKernels = {");
  expect(source).not.toContain("KernelTable");
  const backend = cpuJs({ kernels: [await compiled(signum, false)] });
  expect(backend.compile(signum.variant()).source).toContain("function updateSignum(");
  const gradients = [numbers(5, 1), numbers(5, 2)];
  const after = await afterSteps(backend, signum(), numbers(5, 3), gradients);
  expect(after).toEqual(await afterSteps(cpuJs(), signum(), numbers(5, 3), gradients));
});

test("writes TypeScript where the module of the types is given", () => {
  const source = generate(signum, { types: "@gradstep/cpu-js" });
  expect(source).toContain('import type { KernelTable } from "@gradstep/cpu-js";');
  expect(source).toContain("export const signumKernels: KernelTable = {");
});

test("compiles only the variants it is given", () => {
  const variant = variantOf(adam({ amsgrad: true }));
  const source = generate(adam, { variants: [variant] });
  expect(source.match(/"[0-9a-f]{16}"/g)).toEqual([`"${variant.perElement.fingerprint}"`]);
});

test.each([[undefined], [null], ["adam"], [adam()], [{ name: "adam" }]])(
  "%o is not a rule",
  (rule) => {
    expect(codeOf(() => generate(rule as never))).toBe("INVALID_RULE");
  },
);

test("refuses options that it does not have", () => {
  expect(codeOf(() => generate(adam, { exakt: true } as never))).toBe("UNKNOWN_OPTION");
});
