import { expect, test } from "vitest";
import { formatRunners, parseRunners } from "../../src/playground/runner-text.js";
import type { Runner } from "../../src/playground/runner.js";

const runners: readonly Runner[] = [
  { parts: [{ name: "adam", settings: {} }] },
  {
    parts: [
      { name: "clip-by-global-norm", settings: { globalClipNorm: 1e-7 } },
      {
        name: "my_rule",
        settings: {
          learningRate: { schedule: "linear", options: { from: 1e21, to: -0.5, steps: 3 } },
          nesterov: true,
          averageForm: "sum-of-squares",
        },
      },
      {
        name: "ema",
        settings: {
          emaMomentum: {
            schedule: "piecewise-constant",
            options: { boundaries: [1, 2], values: [0.5, 0.9, 0.99] },
          },
        },
      },
    ],
    backend: "wasm-threads",
  },
];

test("runners are the same after a way through text", () => {
  expect(parseRunners(formatRunners(runners))).toEqual(runners);
  expect(formatRunners(runners)).toBe(
    "adam;clip-by-global-norm(globalClipNorm:1e-7)~my_rule(learningRate:linear(from:1e+21,to:-0.5,steps:3),nesterov:true,averageForm:sum-of-squares)~ema(emaMomentum:piecewise-constant(boundaries:[1,2],values:[0.5,0.9,0.99]))@wasm-threads",
  );
  expect(parseRunners("")).toEqual([]);
});

test.each([
  "adam(",
  "adam(beta1)",
  "adam(beta1:)",
  "adam;",
  "~",
  "adam)",
  "adam@gpu",
  "adam(beta1:0.9",
  "adam beta",
  "adam(a:[1,)",
])("%j is an error", (text) => {
  expect(() => parseRunners(text)).toThrow("Runners:");
});
