import { readFileSync } from "node:fs";
import { rules } from "@gradstep/core/rules";
import { expect, test } from "vitest";

const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
const rows = new Map(
  [...readme.matchAll(/^\| `([a-z-]+)` +\| (.*?) +\| (.*?) *\|$/gm)].map(
    ([, name, hyperparameters, options]) => [name, { hyperparameters, options }],
  ),
);

test("README's table has every rule", () => {
  expect([...rows.keys()]).toEqual(rules.map(({ name }) => name));
});

test.each(rules)("README's row of $name", ({ name, hyperparameters, options }) => {
  const own = Object.entries(hyperparameters).filter(([key]) => key !== "weightDecay");
  expect(rows.get(name)?.hyperparameters).toBe(
    own.map(([key, { default: value }]) => `\`${key}\` ${value}`).join(", "),
  );
  const choices = Object.entries(options)
    .filter(([key]) => key !== "weightDecayMode" && key !== "maximize")
    .map(([key, values]) => {
      const texts = values.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
      return values[0] === false ? `\`${key}\`` : `\`${key}\`: ${texts}`;
    });
  expect(rows.get(name)?.options).toBe(choices.join("; "));
});
