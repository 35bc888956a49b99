import { describe, expect, test } from "vitest";
import { adafactor, createOptimizer, defineRule, nonNegative, type Variant } from "../src/index.js";
import { oracle, reference } from "../src/reference.js";
import { failureOf } from "./support.js";

const adamText = `
  m = m + (g - m) * 0.1
  v = v + (g * g - v) * 0.01`;

function ruleOf(perElement: string, rest: object = {}) {
  return defineRule({
    name: "test",
    hyperparameters: { learningRate: nonNegative(1) },
    perElement,
    ...rest,
  });
}

/** The passes of a schedule, one per line: extent, what is read, what is stored and reduced. */
function listing({ passPlan }: Variant): string[] {
  return passPlan.passes.map((pass) => {
    if (pass.kind === "newtonSchulz") return `newtonSchulz ${pass.from} -> ${pass.to}`;
    const { inputs, outputs, nodes } = pass.program;
    const reduced = new Map(
      pass.reductions.map(({ name, op, over }) => [name, `${op} per ${over}`]),
    );
    const read = inputs.filter(({ node }) => nodes[node].extent !== "step").map(({ name }) => name);
    const written = outputs.map(({ name }) => reduced.get(name) ?? name);
    return `${pass.over}: ${read.sort().join(" ")} -> ${written.sort().join(" ")}`;
  });
}

describe("a program is cut into passes", () => {
  test("an elementwise rule is one pass, its own program", () => {
    const variant = ruleOf("u = g * learningRate").rule.variant();
    expect(variant.passPlan.passes).toHaveLength(1);
    expect(variant.passPlan.passes[0]).toMatchObject({ over: "element" });
    expect((variant.passPlan.passes[0] as { program: unknown }).program).toBe(variant.perElement);
  });

  test("clipping by the global norm and Adam: two over elements", () => {
    const variant = ruleOf(
      `g = g * min(1, 0.5 / normAll(g))${adamText}\n  u = m * learningRate / (sqrt(v) + 1e-7)`,
      { slots: { m: 0, v: 0 } },
    ).rule.variant();
    expect(listing(variant)).toEqual([
      "element: g -> sum per tensor",
      "tensor: @sum0 -> sum per all",
      "element: @sum1 g m p v -> m p v",
    ]);
  });

  test("LAMB: two over elements, the second reads the new averages", () => {
    const variant = ruleOf(
      `${adamText}
      r = m / (sqrt(v) + 1e-6)
      ratio = normTensor(p) / normTensor(r)
      u = r * ratio * learningRate`,
      { slots: { m: 0, v: 0 } },
    ).rule.variant();
    expect(listing(variant)).toEqual([
      "element: g m p v -> m sum per tensor sum per tensor v",
      "element: @sum0 @sum1 m p v -> p",
    ]);
  });

  test("rows and columns have passes of their own", () => {
    const variant = ruleOf(
      `r = r + (meanRow(g * g) - r) * 0.1
       c = c + (meanColumn(g * g) - c) * 0.1
       u = g / sqrt(r / meanTensor(r) * c) * learningRate`,
      { slots: { r: { extent: "row", initial: 0 }, c: { extent: "column", initial: 0 } } },
    ).rule.variant();
    expect(listing(variant)).toEqual([
      "element: g -> sum per column sum per row",
      "row: @count1 @sum0 r -> r sum per tensor",
      "column: @count3 @sum2 c -> c",
      "element: @count5 @sum4 c g p r -> p",
    ]);
  });
});

describe("values in f64", () => {
  const values = Float64Array.from({ length: 6 }, (_, i) => i + 1);

  /** The parameter after one step with this gradient, which begins at 0, as [2, 3]. */
  async function stepped(text: string, rest: object = {}): Promise<number[]> {
    const backend = oracle();
    const p = backend.tensor([2, 3]);
    const optimizer = createOptimizer(ruleOf(text, rest)(), { p });
    optimizer.step({ p: values });
    return [...(await p.read())].map((value) => -value);
  }

  test.each([
    ["sumRow(g)", [6, 6, 6, 15, 15, 15]],
    ["meanRow(g)", [2, 2, 2, 5, 5, 5]],
    ["maxRow(g)", [3, 3, 3, 6, 6, 6]],
    ["sumColumn(g)", [5, 7, 9, 5, 7, 9]],
    ["maxColumn(g)", [4, 5, 6, 4, 5, 6]],
    ["meanTensor(g)", [3.5, 3.5, 3.5, 3.5, 3.5, 3.5]],
    ["sumAll(g) + 0 * g", [21, 21, 21, 21, 21, 21]],
    ["meanAll(sumRow(g))", [10.5, 10.5, 10.5, 10.5, 10.5, 10.5]],
    ["sumTensor(maxRow(g))", [9, 9, 9, 9, 9, 9]],
    ["sumRow(g) * sumColumn(g)", [30, 42, 54, 75, 105, 135]],
  ])("%s", async (expression, expected) => {
    expect(await stepped(`u = ${expression}`)).toEqual(expected);
  });

  test("the global norm goes over all tensors that the step updates", async () => {
    const backend = oracle();
    const a = backend.tensor([1]);
    const b = backend.tensor([1]);
    const c = backend.tensor([1]);
    const optimizer = createOptimizer(ruleOf("u = g * min(1, 1 / normAll(g))")(), { a, b, c });
    optimizer.step({ a: Float64Array.of(3), b: Float64Array.of(4) });
    expect((await a.read())[0]).toBeCloseTo(-3 / 5, 15);
    expect((await b.read())[0]).toBeCloseTo(-4 / 5, 15);
    expect((await c.read())[0]).toBe(0);
  });

  test("a mask leaves rows out of a reduction", async () => {
    const backend = oracle();
    const p = backend.tensor([3, 1]);
    const optimizer = createOptimizer(ruleOf("u = g * 0 + meanTensor(g)")(), { p });
    optimizer.step({ p: Float64Array.of(1, 5, 9) }, { rows: Uint32Array.of(1, 0, 1) });
    expect([...(await p.read())]).toEqual([-5, 0, -5]);
  });
});

describe("a batch of matrices, in the last two dimensions", () => {
  const g = Float64Array.from({ length: 12 }, (_, i) => i + 1);
  const slots = {
    r: { extent: "row", initial: 0 },
    c: { extent: "column", initial: 0 },
    s: { extent: "tensor", initial: 0 },
  };

  /** What is left of slots per row, per column and per tensor after a step of a tensor with this shape. */
  async function sums(shape: readonly number[], rows?: Uint32Array): Promise<number[][]> {
    const backend = oracle();
    const p = backend.tensor(shape);
    const text = "r = r + sumRow(g)\nc = c + sumColumn(g)\ns = s + maxTensor(g)\nu = r";
    const optimizer = createOptimizer(ruleOf(text, { matrices: "last", slots })(), { p });
    optimizer.step({ p: g }, rows === undefined ? {} : { rows });
    const { p: values } = (await optimizer.state()).slots;
    return [[...(await p.read())], ...[values.r, values.c, values.s].map((slot) => [...slot])];
  }
  const each = (values: readonly number[], times: number): number[] =>
    values.flatMap((value) => Array<number>(times).fill(value));

  test("each matrix has its rows and columns", async () => {
    expect(await sums([2, 2, 3])).toEqual([
      each([-6, -15, -24, -33], 3),
      [6, 15, 24, 33],
      [5, 7, 9, 17, 19, 21],
      [12],
    ]);
    expect((await sums([1, 3, 2, 2]))[2]).toEqual([4, 6, 12, 14, 20, 22]);
  });

  test("a mask selects matrices: the rows of others stay and take no part", async () => {
    expect(await sums([3, 2, 2], Uint32Array.of(1, 1, 0))).toEqual([
      each([-3, -7, -11, -15, 0, 0], 2),
      [3, 7, 11, 15, 0, 0],
      [4, 6, 12, 14, 0, 0],
      [8],
    ]);
  });
});

test("f32 sums are rounded one by one, in the order of the language", async () => {
  const backend = reference();
  const n = 5000;
  const g = Float32Array.from({ length: n }, (_, i) => Math.sin(i) * 2 ** (i % 7));
  const p = backend.tensor([n]);
  createOptimizer(ruleOf("u = g * 0 + sumTensor(g)")(), { p }).step({ p: g });
  const blocks = [g.subarray(0, 4096), g.subarray(4096)].map((block) => {
    const lanes = new Float32Array(16);
    block.forEach((value, i) => {
      lanes[i % 16] += value;
    });
    for (const half of [8, 4, 2, 1]) for (let l = 0; l < half; l += 1) lanes[l] += lanes[l + half];
    return lanes[0];
  });
  const expected = Math.fround(blocks[0] + blocks[1]);
  expect((await p.read())[n - 1]).toBe(-expected);
});

describe("slots of other extents", () => {
  test("a copy of the parameter", async () => {
    const backend = oracle();
    const p = backend.tensor([2], [1, 2]);
    const rule = ruleOf("z = z - g\nu = p - z", { slots: { z: "p" } });
    const optimizer = createOptimizer(rule(), { p });
    optimizer.step({ p: Float64Array.of(0.5, 0.5) });
    expect([...(await p.read())]).toEqual([0.5, 1.5]);
    expect([...(await optimizer.state()).slots.p.z]).toEqual([0.5, 1.5]);
  });

  test("one value for all parameters, which outlives the removal of one", async () => {
    const backend = oracle();
    const a = backend.tensor([1]);
    const b = backend.tensor([1]);
    const rule = ruleOf("d = d + sumAll(g)\nu = d + 0 * g", {
      slots: { d: { extent: "all", initial: 1 } },
    });
    const optimizer = createOptimizer(rule(), { a, b });
    optimizer.step({ a: Float64Array.of(2), b: Float64Array.of(3) });
    expect([(await a.read())[0], (await b.read())[0]]).toEqual([-6, -6]);
    optimizer.remove("a");
    optimizer.step({ b: Float64Array.of(1) });
    expect((await b.read())[0]).toBe(-13);
  });

  test("too many values for a slot", () => {
    const failure = failureOf(() =>
      ruleOf("r = g\nu = g * r", { slots: { r: { extent: "row", initial: 0 } } }),
    );
    expect(failure.code).toBe("RULE_SYNTAX");
    expect(failure.message).toContain('"r" has one value per row, but got one value per element');
  });

  test("nothing to reduce", () => {
    expect(failureOf(() => ruleOf("u = g * sumRow(learningRate)")).code).toBe("RULE_SYNTAX");
  });
});

describe("newtonSchulz", () => {
  test("two iterations on a matrix with one row scale its norm as the polynomial says", async () => {
    const backend = oracle();
    const p = backend.tensor([1, 2]);
    const rule = ruleOf(`
      x = g / normTensor(g)
      x = newtonSchulz(x, 3.4445, -4.775, 2.0315)
      x = newtonSchulz(x, 3.4445, -4.775, 2.0315)
      u = x`);
    expect(listing(rule.rule.variant()).slice(1)).toEqual([
      "element: @sum0 g -> @operand7",
      "newtonSchulz @operand7 -> @operand7",
      "newtonSchulz @operand7 -> @operand7",
      "element: @operand7 p -> p",
    ]);
    createOptimizer(rule(), { p }).step({ p: Float64Array.of(3, 4) });
    const polynomial = (s: number): number => 3.4445 * s - 4.775 * s ** 3 + 2.0315 * s ** 5;
    const norm = polynomial(polynomial(1));
    const [x, y] = await p.read();
    expect(-x).toBeCloseTo(0.6 * norm, 12);
    expect(-y).toBeCloseTo(0.8 * norm, 12);
  });

  test("what is read again keeps a temporary of its own", () => {
    const rule = ruleOf(`
      x = newtonSchulz(g, 1.5, -0.5, 0)
      y = newtonSchulz(x, 1.5, -0.5, 0)
      z = newtonSchulz(g, 3, -3, 1)
      u = x + y + z`);
    expect(listing(rule.rule.variant())).toEqual([
      "element: g -> @operand3",
      "newtonSchulz @operand3 -> @newtonSchulz0",
      "newtonSchulz @operand3 -> @newtonSchulz2",
      "newtonSchulz @newtonSchulz0 -> @newtonSchulz1",
      "element: @newtonSchulz0 @newtonSchulz1 @newtonSchulz2 p -> p",
    ]);
  });
});

describe("rows and columns", () => {
  test("are the numbers of rows and columns, one value per tensor", async () => {
    const backend = reference();
    const [p, q] = [backend.tensor([2, 3, 4]), backend.tensor([5])];
    const rule = ruleOf("u = rows * 100 + columns");
    createOptimizer(rule(), { p, q }).step({ p: new Float32Array(24), q: new Float32Array(5) });
    expect([...(await p.read())]).toEqual(Array(24).fill(-212));
    expect([...(await q.read())]).toEqual(Array(5).fill(-501));
  });

  test("a rule may use the names for its own", async () => {
    const backend = reference();
    const p = backend.tensor([2]);
    const rule = ruleOf("rows = g * 2\n u = rows");
    createOptimizer(rule(), { p }).step({ p: Float32Array.of(1, 2) });
    expect([...(await p.read())]).toEqual([-2, -4]);
  });
});

test("a mask that selects nothing leaves no NaN behind", async () => {
  const backend = reference();
  const p = backend.tensor([2, 2], [1, 2, 3, 4]);
  const optimizer = createOptimizer(adafactor(), { p });
  const g = Float32Array.of(1, -1, 2, 3);
  optimizer.step({ p: g }, { rows: Uint32Array.of(0, 0) });
  expect([...(await p.read())]).toEqual([1, 2, 3, 4]);
  optimizer.step({ p: g });
  expect((await p.read()).every((value) => Number.isFinite(value))).toBe(true);
});
