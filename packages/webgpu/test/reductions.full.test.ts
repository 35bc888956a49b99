import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  defineRule,
  nonNegative,
  type Backend,
  type OptimizerSpec,
  type StepOptions,
  type Tensor,
  type Values,
} from "@gradstep/core";
import { oracle } from "@gradstep/core/reference";
import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { countingDevice, countingEncoder, type Counts } from "./counting-device.js";
import { encodeFloat16 } from "./float16.js";
import { bufferOf, describe, newBackend, sharedDevice } from "./gpu.js";
import { Random } from "./random.js";

/** The error of one operation in f32, relative to its result. */
const u = 2 ** -24;

/** Odd sizes, no dimension, one and three; one row and one column; more than a tile, and more than one of each tile. */
const shapes: Readonly<Record<string, readonly number[]>> = {
  matrix: [70, 33],
  vector: [1300],
  wide: [3, 1030],
  tall: [1100, 3],
  batch: [4, 9, 5],
  row: [1, 9],
  column: [9, 1],
};
const scalar = { single: [] };

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function ruleOf(perElement: string, rest: object = {}): OptimizerSpec {
  return defineRule({
    name: "test",
    hyperparameters: { learningRate: nonNegative(1) },
    perElement,
    ...rest,
  })();
}

/** The state and parameters after two steps from random values, by name. Gradients are positive. */
async function stepped(
  backend: Backend,
  spec: OptimizerSpec,
  tensors: Readonly<Record<string, readonly number[]>>,
  options: StepOptions = {},
): Promise<Map<string, Values>> {
  const random = new Random(7);
  const arrays = (): Record<string, Values> =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, shape]) => {
        const values = random.values(sizeOf(shape)).map((value) => Math.abs(value) + 0.1);
        return [name, backend.precision === "f64" ? Float64Array.from(values) : values];
      }),
    );
  const first = arrays();
  const parameters = Object.fromEntries(
    Object.entries(tensors).map(([name, shape]) => [name, backend.tensor(shape, first[name])]),
  );
  const optimizer = createOptimizer(spec, parameters);
  for (let step = 0; step < 2; step += 1) optimizer.step(arrays(), options);
  const values = new Map<string, Values>();
  for (const [name, tensor] of Object.entries<Tensor>(parameters))
    values.set(name, await tensor.read());
  const { slots } = await optimizer.state();
  for (const [name, own] of Object.entries(slots))
    for (const [slot, array] of Object.entries(own)) values.set(`${name}.${slot}`, array);
  optimizer.dispose();
  for (const tensor of Object.values<Tensor>(parameters)) tensor.free();
  return values;
}

/** The largest relative error over what is exact, and the name of the array that has it. */
async function worstError(
  spec: OptimizerSpec,
  tensors: Readonly<Record<string, readonly number[]>>,
  options?: StepOptions,
): Promise<number> {
  const backend = await newBackend();
  const got = await stepped(backend, spec, tensors, options);
  await backend.ready();
  const wanted = await stepped(oracle(), spec, tensors, options);
  let worst = 0;
  for (const [name, values] of wanted) {
    for (let i = 0; i < values.length; i += 1) {
      // What WGSL leaves open.
      if (Number.isNaN(values[i])) continue;
      const value = got.get(name)![i];
      const error = value === values[i] ? 0 : Math.abs(value / values[i] - 1);
      worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
    }
  }
  return worst;
}

/**
 * Programs whose values are sums and products of positive numbers: their relative error is at most the number of
 * rounded operations on the longest way from a gradient to a result, times u. A tree of sums has a depth of 21 at most
 * with these shapes: 4 · 4 values per lane, 6 levels of lanes, and the tiles.
 */
const depth = 21;
const programs: readonly {
  readonly text: string;
  readonly rest?: object;
  /** Reductions one after the other, and other operations, in both steps. */
  readonly reductions: number;
  readonly operations: number;
}[] = [
  { text: "p = p * normAll(g) + g * maxTensor(g)", reductions: 2, operations: 12 },
  { text: "p = p + g * sumTensor(g) + meanTensor(p)", reductions: 2, operations: 10 },
  { text: "p = p + maxRow(g * g) * sumColumn(g) * maxColumn(g)", reductions: 1, operations: 10 },
  { text: "p = p * meanRow(g) + meanColumn(g) * g", reductions: 2, operations: 12 },
  {
    text: "p = p + meanAll(sumRow(g)) * rows + maxAll(g) * columns",
    reductions: 2,
    operations: 12,
  },
  {
    text: `
      r = r * 0.5 + meanRow(g * g)
      c = c * 0.5 + meanColumn(g * g)
      m = m + g
      p = p + g / sqrt(r / meanTensor(r) * c) + m`,
    rest: {
      slots: {
        r: { extent: "row", initial: 0 },
        c: { extent: "column", initial: 0 },
        m: 0,
      },
    },
    reductions: 6,
    operations: 40,
  },
  {
    text: `
      r = r + sumRow(g)
      c = c + meanColumn(g)
      p = p + r * c * meanAll(c)`,
    rest: {
      matrices: "last",
      slots: { r: { extent: "row", initial: 1 }, c: { extent: "column", initial: 0 } },
    },
    reductions: 4,
    operations: 20,
  },
  {
    text: `
      d = d + sumAll(g)
      s = s + sumTensor(g * d)
      p = p + s * g`,
    rest: {
      slots: { d: { extent: "all", initial: 1 }, s: { extent: "tensor", initial: 0 } },
    },
    reductions: 4,
    operations: 16,
  },
];

describe("reductions", () => {
  test("the maximum of negative values has nothing of the padding", async () => {
    const backend = await newBackend();
    const w = backend.tensor([5]);
    const optimizer = createOptimizer(ruleOf("u = maxTensor(g) * learningRate"), { w });
    optimizer.step({ w: Float32Array.of(-5, -3, -2, -7, -4) });
    expect(await w.read()).toEqual(new Float32Array(5).fill(2));
    await backend.ready();
  });

  test("padding is not reduced, even beside a tensor that starts anywhere in the same buffer", async () => {
    const backend = await newBackend();
    const buffer = backend.tensor([64]);
    const offset = buffer.memory.byteOffset / 4 + 13;
    const odd = backend.wrap(buffer.memory.buffer, { shape: [21], offset });
    const even = backend.tensor([18]);
    const optimizer = createOptimizer(ruleOf("u = sumAll(p + 1) * learningRate"), { odd, even });
    optimizer.step({ odd: new Float32Array(21), even: new Float32Array(18) });
    expect(new Set([...(await odd.read()), ...(await even.read())])).toEqual(new Set([-39]));
  });

  test.each(programs)("$text", async ({ text, rest, reductions, operations }) => {
    const bound = (reductions * depth + operations) * u;
    expect(await worstError(ruleOf(text, rest), { ...shapes, ...scalar })).toBeLessThan(bound);
  });

  const treatments = ["keep", "decay", "zero"] as const;
  test.each(
    treatments.flatMap((unselectedRows) =>
      programs.map((program) => ({ ...program, unselectedRows })),
    ),
  )("rows that a mask selects, $unselectedRows: $text", async (one) => {
    const { text, rest, reductions, operations, unselectedRows } = one;
    const rows = Object.fromEntries(
      Object.entries(shapes).map(([name, [length]]) => [
        name,
        Uint32Array.from({ length }, (_, row) => (row % 3 === 0 ? 1 + row : 0)),
      ]),
    );
    const bound = (reductions * depth + operations) * u;
    const spec = ruleOf(text, rest);
    expect(await worstError(spec, shapes, { rows, unselectedRows })).toBeLessThan(bound);
  });
});

describe("steps of several passes", () => {
  /** A backend whose calls are counted. */
  async function counted(): Promise<{ readonly backend: WebGpu; readonly counts: Counts }> {
    const { device, counts } = countingDevice(await sharedDevice());
    return { backend: webgpu({ device }), counts };
  }

  function tensorsOf(backend: Backend, count: number): Record<string, Tensor> {
    const random = new Random(count);
    return Object.fromEntries(
      Array.from({ length: count }, (_, i) => {
        const size = 1 + random.below(300);
        return [`w${i}`, backend.tensor([size], random.values(size))];
      }),
    );
  }

  test.each([1, 180])(
    "%i tensors: the dispatches, and no buffer, bind group, pipeline or copy in further steps",
    async (count) => {
      const { backend, counts } = await counted();
      const sizes = Object.values(tensorsOf(backend, count)).map(({ size }) => size);
      backend.reserve(sizes);
      const parameters = tensorsOf(backend, count);
      const optimizer = createOptimizer(chain(clipByGlobalNorm(1), adam()), parameters);
      const gradients = Object.fromEntries(
        Object.keys(parameters).map((name) => [name, optimizer.gradient(name)]),
      );
      optimizer.step(gradients);
      const encoder = backend.device.createCommandEncoder();
      const counting = countingEncoder(encoder);
      optimizer.encode(counting.encoder, gradients);
      // Sums per tensor, the operand of the sum over all, the sum if it has more than one operand, the metric, Adam.
      const dispatches = count === 1 ? 4 : 5;
      expect(counting.counts).toEqual({ dispatches, passes: 1 });
      const before: Counts = { ...counts };
      for (let step = 0; step < 5; step += 1) optimizer.step(gradients);
      const since = Object.keys(counts)
        .map((key) => [key, counts[key] - (before[key] ?? 0)] as const)
        .filter(([, calls]) => calls > 0);
      expect(Object.fromEntries(since)).toEqual({
        createCommandEncoder: 5,
        submit: 5,
        // The scalars of 2 steps, then of 4.
        writeBuffer: 2,
      });
      await backend.ready();
      backend.dispose();
    },
  );

  test("a tensor of more than 4,096 tiles: its results are joined in two dispatches", async () => {
    const backend = await newBackend();
    const rows = 4096 * 1024 + 5000;
    const p = backend.tensor([rows]);
    const optimizer = createOptimizer(ruleOf("u = g * 0 + sumTensor(g)"), { p });
    optimizer.step({ p: new Float32Array(rows).fill(1) });
    const values = await p.read();
    expect([values[0], values[rows - 1]]).toEqual([-rows, -rows]);
  });

  test("the same steps give the same bits", async () => {
    const text = "p = p * sumAll(g) + maxTensor(p) * g";
    const results: string[] = [];
    for (let run = 0; run < 3; run += 1) {
      const values = await stepped(await newBackend(), ruleOf(text), { ...shapes, ...scalar });
      results.push(
        [...values.values()].map((array) => new Uint32Array(array.buffer).join()).join(";"),
      );
    }
    expect(results[1]).toBe(results[0]);
    expect(results[2]).toBe(results[0]);
  });

  test("gradients in f16 and with gaps, copies, masks on the device, and an encoder", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const [p, mirror] = [
      backend.tensor([3, 2], [1, 2, 3, 4, 5, 6]),
      backend.wrap(bufferOf(device, new Float32Array(3)), { dtype: "f16", shape: [3, 2] }),
    ];
    const packed = Uint16Array.of(1, 2, 0, 3, 4, 0, 5, 6, 0, 0);
    const halves = Uint16Array.from(packed, encodeFloat16);
    const gradient = backend.wrap(bufferOf(device, new Float32Array(halves.buffer)), {
      dtype: "f16",
      shape: [3, 2],
      rowStride: 3,
    });
    const mask = backend.wrap(bufferOf(device, new Float32Array(Uint32Array.of(1, 0, 7).buffer)), {
      dtype: "u32",
    });
    const spec = ruleOf("u = g * meanTensor(g) + meanColumn(g) + maxRow(g)");
    const optimizer = createOptimizer(spec, { p }, { copies: { p: mirror } });
    const encoder = device.createCommandEncoder();
    optimizer.encode(encoder, { p: gradient }, { rows: mask });
    device.queue.submit([encoder.finish()]);
    // Rows 0 and 2: the mean is 3.5, the means of the columns are 3 and 4, the maxima 2 and 6.
    const expected = [1 - 8.5, 2 - 13, 3, 4, 5 - 26.5, 6 - 31];
    expect([...(await p.read())]).toEqual(expected);
    expect([...(await mirror.read())]).toEqual([
      ...expected.slice(0, 2),
      3,
      4,
      ...expected.slice(4),
    ]);
    await backend.ready();
  });

  test("more arrays than a shader can bind are refused when the rule is compiled", async () => {
    const backend = await newBackend();
    const slots = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, 0]));
    const many = ruleOf("p = p - g * normAll(g) - a - b - c - d - e", { slots });
    expect(() => createOptimizer(many, { w: backend.tensor([1]) })).toThrow(
      "needs 9 storage buffers",
    );
  });
});
