import type { Rule } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cases, sampled, seed } from "../../../../testing/cases.js";
import { printStatements } from "../../src/reference/mathematics/print-statements.js";
import {
  mathematicsOf,
  nameBefore,
  type Mathematics,
} from "../../src/reference/mathematics/statements.js";
import { writtenMathematics } from "../../src/reference/mathematics/written-mathematics.js";
import { valueOfExpression } from "./expression-value.js";
import { treeOf } from "./latex-value.js";

/** Every option and structural hyperparameter of a rule, with its values. */
function shapeOf({ options, structural }: Rule): Record<string, readonly (boolean | string)[]> {
  return { ...options, ...Object.fromEntries(structural.map((name) => [name, [false, true]])) };
}

const choicesOf = (rule: Rule) =>
  fc.record(
    Object.fromEntries(
      Object.entries(shapeOf(rule)).map(([name, values]) => [name, fc.constantFrom(...values)]),
    ),
  );

/** The values of all names after a step on tensors with one element. */
function run(mathematics: Mathematics, inputs: ReadonlyMap<string, number>): Map<string, number> {
  const values = new Map(inputs);
  for (const { name, value, repeats } of mathematics.statements) {
    const times = repeats === undefined ? 1 : valueOfExpression(repeats.count, values);
    for (let i = 0; i < times; i += 1) {
      for (const [own, all] of repeats?.values ?? [])
        values.set(own, valueOfExpression(all[i], values));
      values.set(name, valueOfExpression(value, values));
    }
  }
  return values;
}

/** A number between 0 and 1 that depends on the name alone. */
function fractionOf(name: string, draw: number): number {
  let hash = draw;
  for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return ((hash >>> 0) % 997) / 997;
}

function inputsOf(rule: Rule, mathematics: Mathematics, draw: number): Map<string, number> {
  const inputs = new Map<string, number>();
  for (const [name, { default: value, below, min, max }] of Object.entries(rule.hyperparameters)) {
    const fraction = fractionOf(name, draw);
    const isRange = below !== undefined || (min === 0 && max === 1);
    inputs.set(name, isRange ? 0.5 + 0.45 * fraction : value * (0.5 + fraction) + 0.01 * fraction);
  }
  if (inputs.has("nsSteps")) inputs.set("nsSteps", 1 + (draw % 8));
  for (const name of ["lookaheadSteps", "emaOverwrite"])
    if (inputs.has(name)) inputs.set(name, 1 + (draw % 4));
  for (const name of ["learningRate", "beta2", "epsilon"])
    if (!inputs.has(name)) inputs.set(name, 0.01 + 0.9 * fractionOf(name, draw));
  // Not a step that sets negligible values to 0.
  inputs.set("t", 1 + (draw % 63));
  inputs.set("rows", 1 + (draw % 3));
  inputs.set("columns", 1 + (draw % 2));
  for (const name of ["g", "u", "v", "p", ...mathematics.outputs])
    inputs.set(name, (name === "g" && draw % 2 === 0 ? -1 : 1) * (0.05 + fractionOf(name, draw)));
  for (const name of mathematics.state) inputs.set(nameBefore(name), inputs.get(name)!);
  return inputs;
}

/** Random coefficients can make iterations diverge: then the order of operations decides what overflows first. */
function hasOverflown(value: number): boolean {
  return !(Math.abs(value) < 1e30);
}

test.each(sampled([...rules, ...stages], 3))("what is written of $name equals its text", (rule) => {
  fc.assert(
    fc.property(
      choicesOf(rule),
      fc.integer({ min: 1, max: 1e6 }),
      fc.boolean(),
      (choices, draw, isEvaluation) => {
        const texts = rule.texts(choices);
        const mathematics = mathematicsOf(texts, isEvaluation ? "evaluation" : "step");
        const inputs = inputsOf(rule, mathematics, draw);
        const zeros = new Set(draw % 2 === 0 && inputs.has("weightDecay") ? ["weightDecay"] : []);
        for (const name of zeros) inputs.set(name, 0);
        const written = writtenMathematics(mathematics, zeros);
        const [expected, got] = [mathematics, written].map((one) => run(one, inputs));
        fc.pre(![...expected.values()].some(hasOverflown));
        for (const name of mathematics.outputs) {
          const value = expected.get(name)!;
          // A state that is not assigned any more is as before.
          const result = written.statements.some((one) => one.name === name)
            ? got.get(name)!
            : inputs.get(name)!;
          const isRight = Math.abs(result - value) <= 1e-9 * Math.max(1, Math.abs(value));
          expect(isRight, `${name} is ${result}; expected ${value}`).toBe(true);
        }
      },
    ),
    { seed, numRuns: cases(500, 10) },
  );
});

test.each(sampled([...rules, ...stages], 3))("MathJax takes the mathematics of $name", (rule) => {
  for (const [name, values] of Object.entries(shapeOf(rule)))
    for (const value of values) {
      const written = writtenMathematics(mathematicsOf(rule.texts({ [name]: value })));
      for (const { target, value: latex, note } of printStatements(written))
        expect(() => treeOf(`${target} \\gets ${latex} ${note}`)).not.toThrow();
    }
});
