// Built-in rules of several passes have the bits of the reference, on one thread and on three.
import type { OptimizerSpec } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { rules } from "@gradstep/core/rules";
import { expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { wasm } from "../src/index.js";
import { after, difference, rowsOf } from "./passes.js";
import { threaded } from "./threaded.js";

const onThreads = await threaded();

const withRows = { vector: [17], matrix: [7, 5], wide: [2, 130], batch: [3, 4, 5] };
const shapes = { ...withRows, number: [] };

/** A rule with its defaults, and with each other value of an option. */
const specs = rules
  .filter((rule) => rule.variants().some(({ passPlan }) => passPlan.passes.length > 1))
  .flatMap((rule) => [
    [rule.name, rule.specify({ weightDecay: 0.01 })] as const,
    ...Object.entries(rule.options).flatMap(([option, values]) =>
      values.slice(1).map((value) => {
        const spec = rule.specify({ weightDecay: 0.01, [option]: value });
        return [`${rule.name}, ${option}: ${value}`, spec] as const;
      }),
    ),
  ]);

test.each<readonly [string, OptimizerSpec]>(sampled(specs, 8))("%s", async (_, spec) => {
  const rows = rowsOf(withRows, (row, tensor) => (row + tensor) % 3 !== 0);
  const steps = { spec, shapes, options: [{}, { rows }, {}] };
  const expected = await after(reference(), steps);
  expect(difference(await after(wasm(), steps), expected)).toBeUndefined();
  expect(difference(await after(onThreads(), steps), expected)).toBeUndefined();
});
