// Random rules over the whole language: generated kernels, the interpreter and the reference have to agree.
import {
  defineRule,
  nonNegative,
  type Rule,
  type Update,
  type WrappingBackend,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  evaluateLines,
  printLines,
  programs,
  singles,
  type Lines,
} from "../../core/test/language.js";
import { createCpuJs } from "../src/cpu-js.js";
import { cases } from "../../../testing/cases.js";
import { compiled } from "./compile.js";
import { afterSteps, differences, numbers } from "./support.js";

const names = ["p", "g", "m", "v", "a", "b"];
const lines = programs(["p", "m", "v"], names);
/** Around the chunks of the interpreter, 1,024 values each, and around the loop's two elements a turn. */
const lengths = fc.oneof(
  fc.constantFrom(1, 2, 3, 1023, 1024, 1025, 2048, 2049, 3000),
  fc.integer({ min: 1, max: 3000 }),
);

/** The text, with `m = m` or `v = v` for slots that it does not use: a rule must use all of its slots. */
function withAllSlots(text: string): string {
  const unused = ["m", "v"].filter((slot) => !new RegExp(`\\b${slot}\\b`).test(text));
  return [text, ...unused.map((slot) => `${slot} = ${slot}`)].join("\n");
}

/** A rule of these lines, with two slots and two scalars. The decay of all rules stays 1. */
function ruleOf(program: Lines): Rule {
  return defineRule({
    name: "random",
    hyperparameters: { learningRate: nonNegative(1), a: nonNegative(0), b: nonNegative(0) },
    slots: { m: 0, v: 0 },
    perStep: "",
    perElement: withAllSlots(printLines(program)),
  }).rule;
}

interface Data {
  readonly length: number;
  readonly pool: readonly number[];
  readonly a: number;
  readonly b: number;
}

const data: fc.Arbitrary<Data> = fc.record({
  length: lengths,
  pool: fc.array(singles, { minLength: 8, maxLength: 24 }),
  a: singles,
  b: singles,
});

/** Four arrays (p, g, m, v) of values from a pool, in different orders. */
function arraysOf({ length, pool }: Data): Float32Array[] {
  return [1, 3, 5, 7].map((stride) =>
    Float32Array.from({ length }, (_, i) => pool[(i * stride + (i >> 5)) % pool.length]),
  );
}

/** What a kernel makes of the data, in place in subarrays: p, m and v. Throws if it wrote anywhere else. */
function run(backend: WrappingBackend<Float32Array>, rule: Rule, given: Data): Float32Array[] {
  const variant = rule.variant();
  const canary = 12345;
  const buffers = arraysOf(given).map((values, i) => {
    const buffer = new Float32Array(values.length + 5).fill(canary);
    buffer.set(values, i + 1);
    return buffer;
  });
  const before = buffers[1].slice();
  const tensors = buffers.map((buffer, i) =>
    backend.wrap(buffer, { offset: i + 1, shape: [given.length] }),
  );
  const update: Update = {
    parameter: tensors[0],
    copies: [],
    gradientActivation: undefined,
    clearsGradient: false,
    mask: undefined,
    unselectedRows: "keep",
    gradient: tensors[1],
    slots: [tensors[2], tensors[3]],
    scalars: Float64Array.from(variant.scalars, (name) =>
      name === "a" ? given.a : name === "b" ? given.b : 1,
    ),
  };
  backend.compile(variant).run([update], 1);
  expect(differences(buffers[1], before)).toEqual([]);
  buffers.forEach((buffer, i) => {
    const outside = [...buffer.subarray(0, i + 1), ...buffer.subarray(i + 1 + given.length)];
    expect(outside.filter((value) => value !== canary)).toEqual([]);
  });
  return [0, 2, 3].map((i) => buffers[i].subarray(i + 1, i + 1 + given.length));
}

describe("random rules", () => {
  test("exact: the generated kernel, the interpreter and the reference give the same bits", async () => {
    await fc.assert(
      fc.asyncProperty(lines, data, async (program, given) => {
        const rule = ruleOf(program);
        const generated = createCpuJs({ exact: true, kernels: [await compiled(rule, true)] });
        const wanted = run(reference(), rule, given);
        for (const backend of [generated, createCpuJs({ exact: true })]) {
          run(backend, rule, given).forEach((values, i) => {
            expect(differences(values, wanted[i])).toEqual([]);
          });
        }
      }),
      { numRuns: cases(60, 20) },
    );
  });

  test("default: both are the f64 value of the line, rounded once", async () => {
    await fc.assert(
      fc.asyncProperty(lines, data, async (program, given) => {
        const rule = ruleOf(program);
        const [p, g, m, v] = arraysOf(given);
        const a = Math.fround(given.a);
        const b = Math.fround(given.b);
        const wanted = ["p", "m", "v"].map((name) =>
          Float32Array.from(
            p,
            (_, i) =>
              evaluateLines(program, { p: p[i], g: g[i], m: m[i], v: v[i], a, b }, (x) => x)[name],
          ),
        );
        const generated = createCpuJs({ kernels: [await compiled(rule, false)] });
        for (const backend of [generated, createCpuJs()]) {
          run(backend, rule, given).forEach((values, i) => {
            expect(differences(values, wanted[i])).toEqual([]);
          });
        }
      }),
      { numRuns: cases(40, 15) },
    );
  });
});

describe("expressions that are awkward in JavaScript", () => {
  const given: Data = { length: 5, pool: [0.5, -1, 2, -0, 1e-40, Infinity, -3, 4], a: 2, b: 0.25 };

  test.each([
    ["flush of a literal", "p = flush(1e-40) + g"],
    ["flush of scalars", "p = g * flush(a * 1e-39) + flush(flush(b))"],
    ["flush of flush", "p = flush(flush(g) * g)"],
    [
      "isFinite",
      "p = isFinite(g * 1e38 * a) * isFinite(m / 0) + isFinite(p / v)\nm = isFinite(a) - isFinite(1 / 0)",
    ],
    ["a select of scalars", "p = g * (a < b ? a : b)"],
    ["a comparison of scalars over varying values", "p = a < b ? g : p"],
    ["a comparison that is used twice", "p = g < m ? p : g\nm = g < m ? v : m"],
    ["a literal as output", "m = 0.1\np = g"],
    ["a scalar as output", "m = a\nv = a * b\np = g"],
    ["a swap", "t = m\nm = v\nv = t\np = g"],
    ["slots that go round", "t = m\nm = v\nv = p\np = t"],
    ["outputs that are equal", "m = g + v\nv = m\np = m"],
    ["nothing new", "m = m\nv = v\np = p"],
    ["literals beyond f32", "p = g * 1e39 - 1e-46\nm = 1e40"],
    ["minus minus", "p = -(-g) - -(-(-m))\nm = -0 - -0"],
    ["signed zeros", "p = min(0, -0) + max(-0, g * 0)\nm = -0\nv = sign(-0 * v)"],
    ["select inside of select", "p = (g < 0 ? m : v) < (g < 1 ? v : m) ? (g < a ? p : m) : v"],
  ])("%s", async (_, text) => {
    const { rule } = defineRule({
      name: "awkward",
      hyperparameters: { learningRate: nonNegative(1), a: nonNegative(0), b: nonNegative(0) },
      slots: { m: 0, v: 0 },
      perStep: "",
      perElement: withAllSlots(text),
    });
    const wanted = run(reference(), rule, given);
    for (const kernels of [[await compiled(rule, true)], []]) {
      const got = run(createCpuJs({ exact: true, kernels }), rule, given);
      expect(got.map((values) => [...values])).toEqual(wanted.map((values) => [...values]));
    }
    const [generated, interpreted] = [[await compiled(rule, false)], []].map((kernels) =>
      run(createCpuJs({ kernels }), rule, given),
    );
    expect(generated.map((values) => [...values])).toEqual(
      interpreted.map((values) => [...values]),
    );
  });
});

test.each([
  ["a gradient below a limit", "m = m * 0.5 + (abs(g) < limit ? 0 : g)\nv = m"],
  ["a slot that is never assigned", "h = abs(m) < limit ? 0 : m\nv = g + h"],
  [
    "a limit of a slot and of the gradient",
    "m = abs(m) < limit ? 0 : m\nm = m + (abs(g) < limit ? 0 : g)\nv = m",
  ],
  [
    "a condition that is used twice",
    "h = abs(m) < limit ? 1 : 2\nm = abs(m) < limit ? 0 : m\nm = m + g * h\nv = m",
  ],
])("%s is not flushed", async (_, line) => {
  const { rule } = defineRule({
    name: "limited",
    hyperparameters: { learningRate: nonNegative(1), limit: nonNegative(0.4) },
    slots: { m: 0.25, v: 0 },
    perElement: `${line}\np = p - v * learningRate`,
  });
  const gradients = [1, 2, 3, 4].map((seed) => numbers(9, seed));
  const wanted = await afterSteps(reference(), rule.specify({}), numbers(9, 5), gradients);
  const kernels = [await compiled(rule, true)];
  for (const backend of [createCpuJs({ exact: true }), createCpuJs({ exact: true, kernels })])
    expect(await afterSteps(backend, rule.specify({}), numbers(9, 5), gradients)).toEqual(wanted);
});
