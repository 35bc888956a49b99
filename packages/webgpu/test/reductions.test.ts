import {
  chain,
  clipByGlobalNorm,
  adam,
  createOptimizer,
  defineRule,
  nonNegative,
} from "@gradstep/core";
import { oracle } from "@gradstep/core/reference";
import { expect, test } from "vitest";
import { describe, newBackend } from "./gpu.js";
import { Random } from "./random.js";

const shapes: Record<string, number[]> = {
  a: [3, 5],
  b: [17],
  c: [],
  d: [70, 33],
  e: [5000],
  f: [2, 3, 4],
  h: [1, 9],
  i: [9, 1],
};

function ruleOf(perElement: string, rest: object = {}) {
  return defineRule({
    name: "test",
    hyperparameters: { learningRate: nonNegative(1) },
    perElement,
    ...rest,
  });
}
const texts: [string, object?][] = [
  ["u = g * min(1, 1 / normAll(g))"],
  ["u = g / normTensor(g)"],
  ["u = g * maxTensor(g)"],
  ["u = g * sumRow(g)"],
  ["u = g * maxRow(g * g)"],
  ["u = g * meanColumn(g)"],
  ["u = g * maxColumn(g)"],
  ["u = g * meanAll(g * g) + meanTensor(g) * meanRow(g)"],
  ["u = sumRow(g) * sumColumn(g)"],
  [
    `r = r + (meanRow(g * g) - r) * 0.1\n c = c + (meanColumn(g * g) - c) * 0.1\n u = g / sqrt(r / meanTensor(r) * c) * learningRate`,
    { slots: { r: { extent: "row", initial: 0 }, c: { extent: "column", initial: 0 } } },
  ],
  [
    `r = r + (meanRow(g * g) - r) * 0.1\n c = c + (meanColumn(g * g) - c) * 0.1\n u = g / sqrt(r / meanTensor(c) * c) * learningRate`,
    {
      matrices: "last",
      slots: { r: { extent: "row", initial: 0 }, c: { extent: "column", initial: 0 } },
    },
  ],
  ["d = d + sumAll(g * g)\nu = d * g", { slots: { d: { extent: "all", initial: 1 } } }],
  ["s = s + sumTensor(g * g)\nu = s * g", { slots: { s: { extent: "tensor", initial: 1 } } }],
  ["m = m + (g - m) * 0.1\n u = m * normRow(m) / normTensor(p)", { slots: { m: 0 } }],
  ["u = g * rows + columns"],
];
describe("quick", () => {
  for (const [text, rest] of texts)
    for (const masked of ["no", "keep", "decay", "zero"] as const)
      test(`${text} ${masked}`, async () => {
        const results: number[][][] = [];
        for (const backend of [await newBackend(), oracle()]) {
          const random = new Random(7);
          const parameters = Object.fromEntries(
            Object.entries(shapes)
              .filter(([n]) => masked === "no" || n !== "c")
              .map(([name, shape]) => [
                name,
                backend.tensor(shape, random.values(shape.reduce((a, b) => a * b, 1))),
              ]),
          );
          const optimizer = createOptimizer(ruleOf(text, rest)(), parameters);
          for (let step = 0; step < 2; step += 1) {
            const gradients = Object.fromEntries(
              Object.entries(parameters).map(([name, { size }]) => {
                const v = random.values(size);
                return [name, backend.precision === "f64" ? Float64Array.from(v) : v];
              }),
            );
            const options =
              masked === "no"
                ? {}
                : {
                    rows: Object.fromEntries(
                      Object.entries(parameters).map(([n, { shape }]) => [
                        n,
                        Uint32Array.from({ length: shape[0] }, (_, i) =>
                          n === "h" ? 1 : i % 3 === 0 ? 1 : 0,
                        ),
                      ]),
                    ),
                    unselectedRows: masked,
                  };
            optimizer.step(gradients as never, options as never);
          }
          await (backend as { ready?: () => Promise<void> }).ready?.();
          const state = await optimizer.state();
          results.push([
            ...(await Promise.all(
              Object.values(parameters).map(async (p) => [...(await p.read())]),
            )),
            ...Object.values(state.slots).flatMap((s) => Object.values(s).map((x) => [...x])),
          ]);
        }
        const [got, wanted] = results;
        let worst = 0;
        wanted.forEach((row, t) => {
          row.forEach((v, i) => {
            const e = Math.abs(got[t][i] - v) / Math.max(1, Math.abs(v));
            if (e >= 1e-4) console.log(t, i, got[t][i], v);
            if (!(e < 1e-4) && !Number.isNaN(v)) worst = Math.max(worst, Number.isNaN(e) ? 99 : e);
          });
        });
        expect(worst).toBe(0);
      });
  test("clip and adam", async () => {
    const backend = await newBackend();
    const parameters = { a: backend.tensor([10]), b: backend.tensor([300]) };
    const o = createOptimizer(chain(clipByGlobalNorm(1), adam()), parameters);
    o.step({ a: new Float32Array(10).fill(1), b: new Float32Array(300).fill(2) });
    await backend.ready();
    console.log(await o.metrics());
    console.log((await parameters.a.read())[0]);
  });
});
