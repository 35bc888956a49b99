import {
  defineRule,
  nonNegative,
  knownScalarsOf,
  type Backend,
  type KnownScalars,
  type Variant,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { rules } from "@gradstep/core/rules";
import fc from "fast-check";
import { expect, test } from "vitest";
import { wasm } from "../src/index.js";
import { cases, seed } from "../../../testing/cases.js";
import { firstDifference, run } from "./bits.js";

const timeout = 60_000;

/** Any f32, special values often. */
const values = fc.oneof(
  fc.float({ noDefaultInfinity: true, noNaN: true, min: -8, max: 8 }),
  fc.float(),
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    2 ** -126,
    2 ** -127,
    -(2 ** -149),
    3.4e38,
    Infinity,
    -Infinity,
    NaN,
  ),
);

/** Runs a variant on the backend and on the reference, with values from a pool. @returns the first difference */
async function difference(
  backend: Backend,
  variant: Variant,
  length: number,
  pool: readonly number[],
  known: KnownScalars = new Map(),
): Promise<string | undefined> {
  const at = (i: number): number => pool[((i * 2654435761) % 4294967291) % pool.length];
  const arrays = Array.from({ length: 2 + variant.slots.length }, (_, a) =>
    Float32Array.from({ length }, (_unused, i) => at(7919 * a + i)),
  );
  const scalars = Float64Array.from(
    variant.scalars,
    (name, i) => known.get(name) ?? at(31 * i + 5),
  );
  const got = await run(backend, { variant, arrays, scalars });
  const expected = await run(reference(), { variant, arrays, scalars });
  for (const [a, array] of got.entries()) {
    const i = firstDifference(array, expected[a]);
    if (i >= 0)
      return `${variant.label}, ${length} elements: array ${a} at ${i} is ${array[i]}; expected ${expected[a][i]}`;
  }
  return undefined;
}

const leaf = fc.constantFrom(
  "p",
  "g",
  "a",
  "b",
  "rate",
  "c",
  "0",
  "1",
  "-0",
  "0.1",
  "1e-38",
  "3e38",
);
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    leaf,
    fc
      .tuple(fc.constantFrom("-", "abs", "sqrt", "sign", "flush", "isFinite"), tie("expression"))
      .map(([op, a]) => `${op}(${a})`),
    fc
      .tuple(tie("expression"), fc.constantFrom("+", "-", "*", "/"), tie("expression"))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc
      .tuple(fc.constantFrom("min", "max"), tie("expression"), tie("expression"))
      .map(([op, a, b]) => `${op}(${a}, ${b})`),
    fc
      .tuple(
        tie("expression"),
        fc.constantFrom("<", "<=", ">", ">=", "==", "!="),
        tie("expression"),
        tie("expression"),
        tie("expression"),
      )
      .map(([a, op, b, c, d]) => `(${a} ${op} ${b} ? ${c} : ${d})`),
  ),
}));

test("random rules over the whole language give the reference's bits", { timeout }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ a: expression, b: expression, p: expression }),
      fc.array(values, { minLength: 20, maxLength: 60 }),
      fc.integer({ min: 1, max: 40 }),
      async ({ a, b, p }, pool, length) => {
        const { rule } = defineRule({
          name: "random",
          hyperparameters: {
            learningRate: nonNegative(0.1),
            rate: nonNegative(1),
            c: nonNegative(1),
          },
          slots: { a: 0, b: 0 },
          perStep: "",
          // Reads p and g after the lines that all rules share.
          perElement: `a = ${a}\nb = ${b} + g\np = p - ${p}`,
        });
        const backend = wasm();
        for (const variant of rule.variants())
          expect(await difference(backend, variant, length, pool)).toBeUndefined();
      },
    ),
    { numRuns: cases(1000, 40), seed },
  );
});

const pool = fc.sample(values, { seed: 1, numRuns: 1000 });
const variants = rules.flatMap((rule) => rule.variants());

test("every variant of every built-in rule gives the reference's bits", { timeout }, async () => {
  const backend = wasm();
  for (const variant of variants) {
    for (const length of [1, 3, 4, 7, 8, 9, 31, 257])
      expect(await difference(backend, variant, length, pool)).toBeUndefined();
  }
});

test(
  "the kernels specialized for known scalars give the reference's bits",
  { timeout },
  async () => {
    const backend = wasm();
    for (const variant of variants) {
      const all = [...knownScalarsOf(variant.perElement)];
      for (const known of [all, all.filter(([, value]) => value === 0)])
        expect(await difference(backend, variant, 77, pool, new Map(known))).toBeUndefined();
    }
  },
);

test("every length to 257 gives the reference's bits", { timeout }, async () => {
  const backend = wasm();
  const [variant] = variants.filter(({ rule }) => rule === "adam");
  for (let length = 1; length <= 257; length += 1)
    expect(await difference(backend, variant, length, pool)).toBeUndefined();
});
