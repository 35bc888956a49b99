import { defineRule, nonNegative, type RuleFactory } from "@gradstep/core";
import { expect, test } from "vitest";
import { emitJs } from "../src/codegen/emit-js.js";

type Factory = Pick<RuleFactory<string, Record<never, never>>, "rule">;

function source(factory: Factory, exact: boolean): string {
  return emitJs(factory.rule.variant(), { exact });
}

const momentum = defineRule({
  name: "momentum",
  hyperparameters: { learningRate: nonNegative(0.1) },
  slots: { m: 0 },
  perStep: "",
  perElement: "m = m * 0.9 + g\np = p - m * learningRate",
});

test("a kernel is the loop that one would write", () => {
  expect(source(momentum, false)).toBe(`\
function updateMomentum(p$, g$, $slots, $scalars, $start, $end, $shift) {
  const m$ = $slots[0];
  const decay = fround($scalars[0]);
  const learningRate = fround($scalars[1]);
  let $i = $start;
  for (; $i < $end - 3; $i += 4) {
    {
      const p = p$[$i];
      const m = m$[$i];
      const g = g$[$i + $shift];
      const $1 = m * 0.9 + g;
      const $2 = p * decay - $1 * learningRate;
      p$[$i] = $2;
      m$[$i] = $1;
    }
    {
      const p = p$[$i + 1];
      const m = m$[$i + 1];
      const g = g$[$i + 1 + $shift];
      const $1 = m * 0.9 + g;
      const $2 = p * decay - $1 * learningRate;
      p$[$i + 1] = $2;
      m$[$i + 1] = $1;
    }
    {
      const p = p$[$i + 2];
      const m = m$[$i + 2];
      const g = g$[$i + 2 + $shift];
      const $1 = m * 0.9 + g;
      const $2 = p * decay - $1 * learningRate;
      p$[$i + 2] = $2;
      m$[$i + 2] = $1;
    }
    {
      const p = p$[$i + 3];
      const m = m$[$i + 3];
      const g = g$[$i + 3 + $shift];
      const $1 = m * 0.9 + g;
      const $2 = p * decay - $1 * learningRate;
      p$[$i + 3] = $2;
      m$[$i + 3] = $1;
    }
  }
  for (; $i < $end; $i += 1) {
    const p = p$[$i];
    const m = m$[$i];
    const g = g$[$i + $shift];
    const $1 = m * 0.9 + g;
    const $2 = p * decay - $1 * learningRate;
    p$[$i] = $2;
    m$[$i] = $1;
  }
}`);
});

test("an iteration updates four elements of ten lines, and two of eleven or more", () => {
  const copies = (count: number): number => {
    const lines = Array.from({ length: count }, (_, i) => `a${i} = sqrt(abs(g * ${i + 2}))`);
    const sum = lines.map((_, i) => `a${i} * a${i}`).join(" + ");
    const rule = defineRule({
      name: "long",
      hyperparameters: { learningRate: nonNegative(0.1) },
      perElement: `${lines.join("\n")}\np = ${sum}`,
    });
    return source(rule, false).match(/p\$\[.*\] = /g)!.length - 1;
  };
  // One line loads the gradient, one computes the sum, and one stores it.
  expect([copies(7), copies(8)]).toEqual([4, 2]);
});

test("an exact kernel rounds every operation, and its literals", () => {
  const lines = source(momentum, true).split("\n");
  expect(lines).toContain("      const $1 = fround(fround(m * 0.8999999761581421) + g);");
  expect(lines).toContain(
    "      const $2 = fround(fround(p * decay) - fround($1 * learningRate));",
  );
});

test("parentheses stand where they are needed, and what does not vary before the loop", () => {
  const rule = defineRule({
    name: "shapes",
    hyperparameters: { learningRate: nonNegative(0.1) },
    slots: {},
    perStep: "",
    perElement: `
      a = g - (p - learningRate)
      b = -(a * (g + 1)) / (g / a)
      c = (g < 0 ? (p > 1 ? a : b) : learningRate > 0.5 ? a : sqrt(learningRate)) * 2
      p = flush(c) - (b - -g)`,
  });
  const lines = source(rule, false).split("\n");
  expect(lines.slice(1, 5)).toEqual([
    "  const decay = fround($scalars[0]);",
    "  const learningRate = fround($scalars[1]);",
    "  const $4 = sqrt(learningRate);",
    "  let $i = $start;",
  ]);
  const first = lines.slice(lines.indexOf("    {") + 1, lines.indexOf("    }"));
  expect(first).toEqual([
    "      const p = p$[$i];",
    "      const g = g$[$i + $shift];",
    "      const $1 = p * decay;",
    "      const $2 = g - ($1 - learningRate);",
    "      const $3 = -($2 * (g + 1)) / (g / $2);",
    "      const $5 = (g < 0 ? (1 < $1 ? $2 : $3) : 0.5 < learningRate ? $2 : $4) * 2;",
    "      const $6 = (abs($5) < 1.1754943508222875e-38 ? 0 : $5) - ($3 - -g);",
    "      p$[$i] = $6;",
  ]);
});

test("a condition that is used more than once is written once", () => {
  const rounds = Array.from(
    { length: 12 },
    (_, i) => `
      low = low < high ? ${i} : p
      high = before < high ? g : ${i}.5
      before = low`,
  );
  const nested = defineRule({
    name: "nested",
    hyperparameters: { learningRate: nonNegative(0.1) },
    perElement: `low = p\nbefore = p\nhigh = g\n${rounds.join("")}\np = low - high * learningRate`,
  });
  const conditions = source(nested, true).match(/ < (?!\$end)/g) ?? [];
  expect(conditions).toHaveLength(3 * 12);
});
