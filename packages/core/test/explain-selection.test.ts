import { describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import {
  adafactor,
  adam,
  chain,
  clipByGlobalNorm,
  clipByNorm,
  clipUpdateByRms,
  cosineDecay,
  createOptimizer,
  maxNorm,
  muon,
  sgd,
  trustRatio,
  type Gradients,
  type OptimizerSpec,
} from "../src/index.js";
import { reference } from "../src/reference.js";
import { numbers } from "./support.js";

const shapes: Readonly<Record<string, readonly number[]>> = { a: [4, 2], b: [3, 2], c: [3] };

const specs: readonly (readonly [string, OptimizerSpec])[] = [
  ["norms of tensors and of all", chain(clipByGlobalNorm(0.5), clipByNorm(0.4), adam())],
  [
    "means and norms of updates and rows",
    chain(
      sgd({ momentum: 0.9 }),
      clipUpdateByRms(0.5),
      trustRatio(),
      maxNorm({ maxNorm: 0.5, maxNormAxis: "row" }),
    ),
  ],
  ["means of rows and columns", adafactor()],
  ["products of matrices", muon()],
];

/** Where explanations of the first and the last elements differ from what the next step does, over two steps. */
async function differences(
  spec: OptimizerSpec,
  options: object,
  gradientsOf: (step: number) => Gradients,
): Promise<string[]> {
  const backend = reference();
  const parameters = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [
      name,
      backend.tensor(shape, numbers(8, i + 1).slice(0, i === 0 ? 8 : i === 1 ? 6 : 3)),
    ]),
  );
  const optimizer = createOptimizer(spec, parameters, options);
  const found: string[] = [];
  for (let step = 1; step < 3; step += 1) {
    const gradients = gradientsOf(step);
    const explained: (readonly [string, number, number, unknown])[] = [];
    for (const name of Object.keys(gradients))
      for (const i of [0, parameters[name].size - 1]) {
        const { after, unchanged } = await optimizer.explain(name, i, gradients);
        explained.push([name, i, after, unchanged]);
      }
    optimizer.step(gradients);
    for (const [name, i, after, unchanged] of explained) {
      const value = (await parameters[name].read())[i];
      if (value !== after)
        found.push(`step ${step}, ${name}[${i}]: ${after}, not ${value} (${String(unchanged)})`);
    }
  }
  return found;
}

const dense = (step: number): Record<string, Float32Array> => ({
  a: numbers(8, 10 * step),
  b: numbers(6, 20 * step),
  c: numbers(3, 30 * step),
});

describe.each(sampled(specs, 1))("explain agrees with the next step: %s", (_, spec) => {
  test("of rows below a row count", async () => {
    expect(await differences(spec, { rowCounts: { a: 3, b: 1 } }, dense)).toEqual([]);
  });

  test("of the rows of a sparse gradient", async () => {
    const sparse = (step: number): Gradients => ({
      ...dense(step),
      a: { indices: Uint32Array.of(step, 0, step), values: numbers(6, step) },
    });
    expect(await differences(spec, { sparse: "lazy" }, sparse)).toEqual([]);
    expect(await differences(spec, { sparse: "dense", rowCounts: { a: 3 } }, sparse)).toEqual([]);
  });

  test("beside a group that is frozen", async () => {
    expect(await differences(spec, { groups: [{ match: "a", frozen: true }] }, dense)).toEqual([]);
  });

  test("with a gradient that is not finite in a row beyond the count", async () => {
    const infinite = (step: number): Gradients => {
      const { a, ...others } = dense(step);
      a[7] = Infinity;
      return { a, ...others };
    };
    const options = { rowCounts: { a: 3 }, nonFinite: "skip" };
    expect(await differences(spec, options, infinite)).toEqual([]);
  });
});

test("an element in a row that is not selected stays as it is", async () => {
  const p = reference().tensor([2, 1], [1, 2]);
  const optimizer = createOptimizer(adam(), { p }, { rowCounts: 1 });
  const explanation = await optimizer.explain("p", 1, Float32Array.of(1, 1));
  expect(explanation).toMatchObject({ before: 2, after: 2, unchanged: "unselected" });
  expect(String(explanation)).toContain("p[1] stays 2, because its row is not selected");
});

test("a scheduled rate is that of the step at which the group is due", async () => {
  const p = reference().tensor([1], [1]);
  const schedule = cosineDecay(1, 4);
  const optimizer = createOptimizer(
    sgd({ learningRate: schedule }),
    { p },
    { groups: [{ match: "p", every: 3 }] },
  );
  const gradient = Float32Array.of(0.5);
  const { after } = await optimizer.explain("p", 0, gradient);
  expect(optimizer.iterations).toBe(0);
  expect(optimizer.learningRate).toBe(schedule.valueAt(0));
  for (let step = 0; step < 3; step += 1) optimizer.step({ p: gradient });
  expect((await p.read())[0]).toBe(after);
  expect(after).toBeCloseTo(1 - 0.5 * schedule.valueAt(2), 6);
});
