import type { Backend, StepOptions } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { reducingRules } from "../../../testing/reducing-rules.js";
import { wasm } from "../src/index.js";
import { after, difference, rowsOf, type Steps } from "./passes.js";

const groupsOfShapes: Readonly<Record<string, Steps["shapes"]>> = {
  "small tensors": {
    scalar: [],
    vector: [37],
    one: [19, 1],
    three: [11, 3],
    square: [7, 7],
    row: [1, 9],
  },
  "tensors of several blocks": {
    flat: [9001],
    wide: [2, 4200],
    tall: [4100, 2],
    both: [40, 500],
    few: [9, 2100],
  },
  "batches of matrices": {
    four: [4, 2, 5, 3],
    three: [3, 33, 17],
    tall: [2, 60, 16],
    one: [5, 1, 1],
  },
};

/** The first difference from the reference. */
async function differenceOf(steps: Steps, backend: Backend = wasm()): Promise<string | undefined> {
  return difference(await after(backend, steps), await after(reference(), steps));
}

describe.each(reducingRules)("%s", (_, rule) => {
  const spec = rule.specify({ weightDecay: 0.01 });

  test.each(Object.entries(groupsOfShapes))("%s", async (__, shapes) => {
    expect(await differenceOf({ spec, shapes, options: [{}, {}] })).toBeUndefined();
  });

  test.each(["keep", "decay", "zero"] as const)("masks, other rows: %s", async (unselectedRows) => {
    const shapes = { a: [9, 4], b: [6, 2, 3], c: [4500], d: [3, 1], e: [40, 35] };
    const masked = (step: number): StepOptions => ({
      unselectedRows,
      // All rows of d are selected, or none is.
      rows: rowsOf(shapes, (index, k) => (k === 3 ? step % 2 : (index >> step) + k) % 3 !== 0),
    });
    const options = [masked(0), {}, masked(2), masked(1), {}];
    expect(await differenceOf({ spec, shapes, options })).toBeUndefined();
  });
});
