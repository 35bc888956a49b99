import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** What a page under a strict Content-Security-Policy would run, from the built packages. */
const script = `
import { createOptimizer, adam, defineRule, nonNegative } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";

let forbidden = false;
try { new Function("return 1")(); } catch (error) { forbidden = error instanceof EvalError; }

const custom = defineRule({
  name: "custom",
  hyperparameters: { learningRate: nonNegative(0.5) },
  slots: { m: 0 },
  perStep: "",
  perElement: "m = max(m, abs(g))\\np = p - g / m * learningRate",
});
const results = [adam({ learningRate: 0.5, epsilon: 0 }), custom()].flatMap((spec) =>
  [false, true].map((exact) => {
    const values = Float32Array.of(1, -1, 2);
    const optimizer = createOptimizer(spec, { w: cpuJs({ exact }).wrap(values) });
    optimizer.step({ w: Float32Array.of(0.25, 0.5, -4) });
    return [...values].map((value) => Math.round(value * 1e4) / 1e4);
  }),
);
console.log(JSON.stringify({ forbidden, results }));
`;

test("built-in and custom rules run where code from strings is forbidden", () => {
  const output = execFileSync(
    process.execPath,
    ["--disallow-code-generation-from-strings", "--input-type=module", "--eval", script],
    { cwd: fileURLToPath(new URL("..", import.meta.url)), encoding: "utf8" },
  );
  const step = [0.5, -1.5, 2.5];
  expect(JSON.parse(output)).toEqual({ forbidden: true, results: [step, step, step, step] });
});
