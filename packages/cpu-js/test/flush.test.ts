import { defineRule, nonNegative, type Rule, type Update } from "@gradstep/core";
import { describe, expect, test } from "vitest";
import { createCpuJs, type CpuJs } from "../src/cpu-js.js";
import { emitJs } from "../src/codegen/emit-js.js";
import { compiled } from "./compile.js";

/** Two slots that are cleared below thresholds of their own, and one that is not; nothing else happens to them. */
const { rule }: { readonly rule: Rule } = defineRule({
  name: "cleared",
  hyperparameters: {
    learningRate: nonNegative(1),
    below: nonNegative(0),
    under: nonNegative(0),
  },
  slots: { kept: 0, m: 0, v: 0 },
  perElement: `
    m = abs(m) < below ? 0 : m
    v = abs(v) < under ? 0 : v
    kept = kept + g
    p = p - (m + v) * learningRate`,
});
const variant = rule.variant();

interface Given {
  readonly kept: readonly number[];
  readonly m: readonly number[];
  readonly v: readonly number[];
  readonly thresholds: { readonly below: number; readonly under: number };
  readonly mask?: readonly number[];
  readonly unselectedRows?: Update["unselectedRows"];
}

/** One run of the kernel on parameters of 0 and gradients of 1: what the slots hold after it. */
function slotsAfter(backend: CpuJs, given: Given): Record<"kept" | "m" | "v", number[]> {
  const { kept, m, v, thresholds, mask, unselectedRows = "keep" } = given;
  const shape = [m.length];
  const slots = [kept, m, v].map((values) => backend.tensor(shape, values));
  const value = (name: string): number =>
    name === "below" || name === "under" ? thresholds[name] : 1;
  const update: Update = {
    parameter: backend.tensor(shape),
    copies: [],
    gradientActivation: undefined,
    clearsGradient: false,
    mask: mask && Uint32Array.from(mask),
    unselectedRows,
    gradient: backend.tensor(shape, new Array<number>(m.length).fill(1)),
    slots,
    scalars: Float64Array.from(variant.scalars, value),
  };
  backend.compile(variant).run([update], 1);
  const [keptAfter, mAfter, vAfter] = slots.map((slot) => [...slot.view()]);
  return { kept: keptAfter, m: mAfter, v: vAfter };
}

const backends: readonly (readonly [string, () => Promise<CpuJs>])[] = [
  ["generated", async () => createCpuJs({ kernels: [await compiled(rule, false)] })],
  [
    "generated, exact",
    async () => createCpuJs({ exact: true, kernels: [await compiled(rule, true)] }),
  ],
  ["interpreted", async () => createCpuJs()],
  ["interpreted, exact", async () => createCpuJs({ exact: true })],
];

describe.each(backends)("clearing of small values, %s", (_, make) => {
  const tenth = Math.fround(0.1);
  const values = [0.25, -0.25, 0.5, -0.5, 0.75, -0.75, 0, Infinity];

  test("magnitudes below a threshold become 0, of either sign, and no others", async () => {
    const given = { kept: values, m: values, v: values, thresholds: { below: 0.5, under: 0.75 } };
    expect(slotsAfter(await make(), given)).toEqual({
      kept: values.map((value) => value + 1),
      m: [0, 0, 0.5, -0.5, 0.75, -0.75, 0, Infinity],
      v: [0, 0, 0, 0, 0.75, -0.75, 0, Infinity],
    });
  });

  test("a threshold of 0 clears nothing", async () => {
    const small = [1e-45, -1e-45, 1e-30, 0];
    const given = { kept: small, m: small, v: small, thresholds: { below: 0, under: 1 } };
    const { m, v } = slotsAfter(await make(), given);
    expect(m).toEqual(small.map(Math.fround));
    expect(v).toEqual([0, 0, 0, 0]);
  });

  test("a threshold is rounded to f32, as every scalar is", async () => {
    // The f32 value of 0.1 is larger than the f64 value: unrounded thresholds would differ.
    expect(tenth).toBeGreaterThan(0.1);
    const ulp = 2 ** -27;
    const near = [tenth, tenth - ulp, tenth + ulp];
    const given = {
      kept: near,
      m: near,
      v: near,
      thresholds: { below: tenth, under: 0.1 + 1e-12 },
    };
    const after = [tenth, 0, Math.fround(tenth + ulp)];
    expect(slotsAfter(await make(), given)).toMatchObject({ m: after, v: after });
  });

  test("only the values of selected rows are cleared", async () => {
    const eight = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => n / 16);
    const given = { kept: eight, m: eight, v: eight, thresholds: { below: 1, under: 1 } };
    expect(slotsAfter(await make(), { ...given, mask: [0, 1, 0, 1] }).m).toEqual(
      [1, 2, 0, 0, 5, 6, 0, 0].map((n) => n / 16),
    );
    expect(slotsAfter(await make(), { ...given, mask: [1, 0, 0, 1] }).v).toEqual(
      [0, 0, 3, 4, 5, 6, 0, 0].map((n) => n / 16),
    );
  });

  test.each(["decay", "zero"] as const)(
    "unselected rows are cleared, too, with %s",
    async (how) => {
      const four = [0.25, -0.25, 0.5, 1];
      const given = { kept: four, m: four, v: four, thresholds: { below: 0.5, under: 1 } };
      expect(slotsAfter(await make(), { ...given, mask: [0, 1], unselectedRows: how })).toEqual({
        kept: [0.25, -0.25, 1.5, 2],
        m: [0, 0, 0.5, 1],
        v: [0, 0, 0, 1],
      });
    },
  );

  test("a long row ends where it ends, whatever follows it", async () => {
    // More than one chunk of the interpreter, and not a whole number of them.
    const length = 1500;
    const halves = new Array<number>(3 * length).fill(0.5);
    const given = { kept: halves, m: halves, v: halves, thresholds: { below: 1, under: 0.5 } };
    const { kept, m, v } = slotsAfter(await make(), { ...given, mask: [0, 1, 0] });
    const rows = (values: number[]): number[][] =>
      [0, 1, 2].map((row) => [...new Set(values.slice(row * length, (row + 1) * length))]);
    expect({ kept: rows(kept), m: rows(m), v: rows(v) }).toEqual({
      kept: [[0.5], [1.5], [0.5]],
      m: [[0.5], [0], [0.5]],
      v: [[0.5], [0.5], [0.5]],
    });
  });
});

test.each([false, true])("kernels leave the clearing to their caller, exact: %s", (exact) => {
  const source = emitJs(variant, { exact });
  expect(source).not.toMatch(/below|under|abs|\?/);
});
