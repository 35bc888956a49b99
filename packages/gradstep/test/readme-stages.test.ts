import { readFileSync } from "node:fs";
import * as gradstep from "gradstep";
import { stages } from "@gradstep/core/stages";
import { expect, test } from "vitest";

const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
const rows = new Map(
  [...readme.matchAll(/^\| `(\w+)\(\)` +\| `([gup])` +\| (.*?) *\| (.*?) *\| .*\|$/gm)].map(
    ([, name, updated, hyperparameters, options]) => [name, { updated, hyperparameters, options }],
  ),
);

/** The export of a stage: `clipByNorm` for `clip-by-norm`. */
function exportOf(stage: string): string {
  return stage.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

test("README's table of stages has every stage", () => {
  expect([...rows.keys()].sort()).toEqual(stages.map(({ name }) => exportOf(name)).sort());
});

test.each(stages)("README's row of $name", (stage) => {
  const { name, updated, hyperparameters, options } = stage;
  expect((gradstep as Record<string, unknown>)[exportOf(name)]).toHaveProperty("stage", stage);
  expect(rows.get(exportOf(name))).toEqual({
    updated,
    hyperparameters: Object.entries(hyperparameters)
      .map(([key, { default: value }]) => `\`${key}\` ${value}`)
      .join(", "),
    options: Object.entries(options)
      .map(([key, values]) => {
        const texts = values.map((value) => `\`${JSON.stringify(value)}\``);
        return `\`${key}\`: ${texts.join(", ")}`;
      })
      .join("; "),
  });
});
