import { defineRule, nonNegative, type Update } from "@gradstep/core";
import { expect, test } from "vitest";
import { createCpuJs } from "../src/cpu-js.js";
import { compiled } from "./compile.js";

const { rule } = defineRule({
  name: "subtracted",
  hyperparameters: { learningRate: nonNegative(1) },
  slots: { seen: 0 },
  perElement: "seen = seen + 1\np = p - g",
});

test.each([
  ["generated", async () => createCpuJs({ kernels: [await compiled(rule, false)] })],
  ["interpreted", async () => createCpuJs()],
] as const)("%s: the rows from the start to the end of a list, and no others", async (_, make) => {
  const backend = await make();
  const parameter = backend.tensor([6, 2]);
  const seen = backend.tensor([6, 2]);
  const update: Update = {
    parameter,
    copies: [],
    gradientActivation: undefined,
    clearsGradient: false,
    mask: undefined,
    unselectedRows: "keep",
    // Rows 1 and 2 follow one another in the gradient, too. Row 5 would continue row 4, after the end.
    rows: {
      indices: Uint32Array.of(0, 1, 2, 4, 5),
      gradientRows: Uint32Array.of(0, 1, 2, 0, 1),
      start: 1,
      end: 4,
    },
    gradient: backend.tensor([3, 2], [1, 2, 3, 4, 5, 6]),
    slots: [seen],
    scalars: Float64Array.from(rule.variant().scalars, () => 1),
  };
  backend.compile(rule.variant()).run([update], 1);
  const rows = [0, 0, -3, -4, -5, -6, 0, 0, -1, -2, 0, 0];
  expect([...parameter.view()]).toEqual(rows);
  expect([...seen.view()]).toEqual(rows.map((value) => (value === 0 ? 0 : 1)));
});
