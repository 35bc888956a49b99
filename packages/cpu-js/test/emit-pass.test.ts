import { defineRule, nonNegative, type MapPass, type Variant } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { expect, test } from "vitest";
import { reducingRules } from "../../../testing/reducing-rules.js";
import { emitJs } from "../src/codegen/emit-js.js";
import { emitPass } from "../src/codegen/emit-pass.js";
import { isOneLoop } from "../src/passes/array-names.js";

/** The functions of a variant: one, or one per pass. */
function functionsOf(variant: Variant): string[] {
  if (isOneLoop(variant)) return [emitJs(variant, { exact: false })];
  const passes = variant.passPlan.passes.filter((pass): pass is MapPass => pass.kind === "map");
  return passes.map((pass) => emitPass(variant, pass, { exact: false }));
}

const { rule: centered } = defineRule({
  name: "centered",
  hyperparameters: { learningRate: nonNegative(0.1) },
  slots: { scale: { extent: "row", initial: 1 } },
  perElement: `
    scale = scale * 0.5 + sumRow(g * g)
    u = (g - meanColumn(g)) / sqrt(scale) * learningRate`,
});

test("a pass with reductions keeps their operands", () => {
  expect(functionsOf(centered.variant())[0]).toBe(`\
function updateCentered_pass0($arrays, _$scalars, $operands, $start, $end) {
  const g$ = $arrays[1];
  const $sum0$ = $operands[0];
  const $sum1$ = $operands[1];
  let $i = $start;
  let $j = 0;
  for (; $i < $end - 1; $i += 2, $j += 2) {
    {
      const g = g$[$i];
      const $1 = g * g;
      $sum0$[$j] = $1;
      $sum1$[$j] = g;
    }
    {
      const g = g$[$i + 1];
      const $1 = g * g;
      $sum0$[$j + 1] = $1;
      $sum1$[$j + 1] = g;
    }
  }
  if ($i < $end) {
    const g = g$[$i];
    const $1 = g * g;
    $sum0$[$j] = $1;
    $sum1$[$j] = g;
  }
}`);
});

test("what is the same for a row is computed once per row, what is the same for all before", () => {
  expect(functionsOf(centered.variant())[1]).toBe(`\
function updateCentered_pass1($arrays, $scalars, _$operands, $start, $end, $rows, $columns) {
  const p$ = $arrays[0];
  const g$ = $arrays[1];
  const scale$ = $arrays[2];
  const $sum0$ = $arrays[3];
  const $sum1$ = $arrays[4];
  const $count2$ = $arrays[5];
  const decay = fround($scalars[0]);
  const learningRate = fround($scalars[1]);
  let $i = $start;
  for (let $row = floor($start / $columns); $i < $end; $row += 1) {
    const $stop = min($end, ($row + 1) * $columns);
    const $first = ($row - floor($row / $rows)) * $columns;
    const scale = scale$[$row];
    const $sum0 = $sum0$[$row];
    const $1 = scale * 0.5;
    const $2 = $1 + $sum0;
    const $3 = sqrt($2);
    for (; $i < $stop; $i += 1) {
      const p = p$[$i];
      const g = g$[$i];
      const $sum1 = $sum1$[$i - $first];
      const $count2 = $count2$[$i - $first];
      const $4 = p * decay - (g - $sum1 / max($count2, 1)) / $3 * learningRate;
      p$[$i] = $4;
    }
  }
}`);
});

/** What a function declares and does not use, or names as unused and uses: TypeScript refuses the one. */
function misnamed(source: string): string[] {
  const words = source.split(/[^\w$]+/);
  const isUsed = (name: string): boolean => words.filter((word) => word === name).length > 1;
  const declared = [...source.matchAll(/(?:const|let) ([\w$]+) =/g)].map(([, name]) => name);
  const parameters = /\((.*?)\)/.exec(source)![1].split(", ");
  const last = parameters.at(-1)!;
  return [
    ...[...declared, ...parameters.filter((name) => !name.startsWith("_"))].filter(
      (name) => !isUsed(name),
    ),
    ...parameters.filter((name) => name.startsWith("_") && words.includes(name.slice(1))),
    ...(source.includes("_pass") && last.startsWith("_") ? [last] : []),
  ];
}

test("functions declare nothing that they do not read, which TypeScript would refuse", () => {
  const all = [
    ...[...rules, ...stages, centered].map((rule) => [rule.name, rule.variant()] as const),
    ...reducingRules.map(([name, rule]) => [name, rule.variant()] as const),
  ].filter(([, { perElement }]) => perElement.outputs.every(({ name }) => name !== "u"));
  const found = all.flatMap(([name, variant]) =>
    functionsOf(variant).flatMap((source) =>
      misnamed(source).map((one) => `${name}: ${one} in ${source.split("\n")[0]}`),
    ),
  );
  expect(found).toEqual([]);
});
