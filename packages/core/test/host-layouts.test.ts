// Steps of an optimizer whose tensors are fields of structs in one typed array, compared to plain tensors.
import { describe, expect, test } from "vitest";
import type { Tensor } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { newRow } from "../src/backend/backend.js";
import { oracle, reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { lamb } from "../src/rules/lamb.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { sgd } from "../src/rules/sgd.js";
import { ema } from "../src/stages/ema.js";
import { chain } from "../src/rule/chain.js";
import { scheduleFreeSgd } from "../src/rules/schedule-free-sgd.js";
import { bits, codeOf, numbers } from "./support.js";

const backend = reference();
const rows = 5;
const stride = 12;
const shape = [rows, 3];

/** Structs of { 1, p, 1, m, v, 1 }, each of three values, with capacity for more. */
function structs(capacity = rows): {
  memory: Float32Array;
  p: Tensor;
  m: Tensor;
  v: Tensor;
  others: () => number[];
} {
  const memory = new Float32Array(capacity * stride).fill(7);
  const field = (offset: number): Tensor =>
    backend.wrap(memory, { shape, offset, rowStride: stride, capacity });
  const isOwn = (i: number): boolean => i % stride > 0 && i % stride < 11 && i % stride !== 4;
  return {
    memory,
    p: field(1),
    m: field(5),
    v: field(8),
    others: () => [...memory].filter((_, i) => !isOwn(i)),
  };
}

const first = numbers(15, 1);
const gradient = (seed: number): Float32Array => numbers(15, seed + 2);

/** Two optimizers of equal parameters: one of structs, one of plain tensors. */
function pair(options = {}) {
  const laidOut = structs(8);
  laidOut.p.write(first);
  const plain = backend.tensor(shape, first);
  const actual = createOptimizer(
    adam(),
    { w: laidOut.p },
    { ...options, slots: { w: { m: laidOut.m, v: laidOut.v } } },
  );
  actual.reset();
  const expected = createOptimizer(adam(), { w: plain }, options);
  const check = async (): Promise<void> => {
    expect(bits(await laidOut.p.read())).toEqual(bits(await plain.read()));
    const [a, b] = [await actual.state(), await expected.state()];
    expect(a).toEqual(b);
    expect(laidOut.others().every((value) => value === 7)).toBe(true);
  };
  return { laidOut, plain, actual, expected, check };
}

describe("parameters and slots in structs", () => {
  test("may be one of several slots, of a plain parameter", async () => {
    for (const name of ["m", "v"] as const) {
      const laidOut = structs();
      laidOut[name].write(new Float32Array(15));
      const [actual, expected] = [{ w: { [name]: laidOut[name] } }, {}].map((slots) => {
        const w = backend.tensor(shape, first);
        return { w, optimizer: createOptimizer(adam(), { w }, { slots }) };
      });
      for (let step = 0; step < 3; step += 1)
        for (const { optimizer } of [actual, expected]) optimizer.step({ w: gradient(step) });
      expect(bits(await actual.w.read())).toEqual(bits(await expected.w.read()));
      const { slots } = await expected.optimizer.state();
      expect(bits(await laidOut[name].read())).toEqual(bits(slots["w"][name]));
    }
  });

  test("keep what the caller put into slots, until reset", async () => {
    const { p, m, v } = structs();
    p.write(first);
    m.write(numbers(15, 9));
    const optimizer = createOptimizer(adam(), { w: p }, { slots: { w: { m, v } } });
    const { slots } = await optimizer.state();
    expect(bits(slots["w"]["m"])).toEqual(bits(numbers(15, 9)));
    expect([...slots["w"]["v"]]).toEqual(new Array(15).fill(7));
    optimizer.reset("w", { columns: [1, 2] });
    expect([...(await m.read())]).toEqual(
      [...numbers(15, 9)].map((value, i) => (i % 3 === 1 ? 0 : value)),
    );
    optimizer.dispose();
    expect(m.freed).toBe(false);
  });

  test("take the steps of plain tensors: masks, sparse gradients, accumulation, loss scales", async () => {
    const mask = Uint32Array.of(1, 0, 2, 0, 1);
    const maskTensor = backend.wrap(Uint32Array.of(1, 9, 0, 9, 2, 9, 0, 9, 1), {
      shape: [rows],
      rowStride: 2,
    });
    for (const options of [{}, { accumulate: 2 }, { lossScale: 128 }, { nonFinite: "skip" }]) {
      const { actual, expected, check } = pair(options);
      for (let i = 0; i < 4; i += 1) {
        actual.step({ w: gradient(i) });
        expected.step({ w: gradient(i) });
        if (!("accumulate" in options)) {
          const unselectedRows = (["keep", "decay", "zero", "keep"] as const)[i];
          actual.step({ w: gradient(i) }, { rows: maskTensor, unselectedRows });
          expected.step({ w: gradient(i) }, { rows: mask, unselectedRows });
        }
        const values = gradient(i).subarray(0, 9);
        const indices = Uint32Array.of(3, 0, 3);
        actual.step({ w: { indices: backend.wrap(indices), values: backend.tensor([9], values) } });
        expected.step({ w: { indices, values } });
        actual.step({ w: { indices, values } });
        expected.step({ w: { indices, values } });
        await check();
      }
      expect(actual.iterations).toBe(expected.iterations);
    }
  });

  test("whose rows count their own steps", async () => {
    const { actual, expected, check } = pair({ sparse: "lazy", rowSteps: true });
    const rowsOf = [
      [0, 3],
      [3, 1],
      [0, 1],
    ];
    for (const [i, indices] of rowsOf.entries()) {
      const sparse = { indices: Uint32Array.from(indices), values: numbers(6, i) };
      actual.step({ w: sparse });
      expected.step({ w: sparse });
      const memory = Float32Array.from({ length: 20 }, (_, k) => gradient(i)[k] ?? 1);
      const dense = backend.wrap(memory.slice(0, 15), { shape: [15] });
      const wide = new Float32Array(20);
      for (let k = 0; k < 15; k += 1) wide[Math.floor(k / 3) * 4 + (k % 3)] = gradient(i)[k];
      actual.step({ w: backend.wrap(wide, { shape, rowStride: 4 }) }, { clear: true });
      expected.step({ w: dense });
      expect([...wide]).toEqual(new Array(20).fill(0));
      await check();
    }
  });

  test("move with their rows inside the capacity", async () => {
    const { laidOut, plain, actual, expected, check } = pair();
    const take = (seed: number): void => {
      const g = numbers(plain.size, seed);
      actual.step({ w: g });
      expected.step({ w: g });
    };
    take(1);
    const indices = Uint32Array.of(4, 0, 0, newRow, 2, 1, newRow);
    actual.rows().remap(backend.wrap(Uint32Array.from(indices, (i) => Math.min(i, 99))));
    expected.rows().remap(indices);
    expect(laidOut.p.shape).toEqual([7, 3]);
    await check();
    take(2);
    await check();
    for (const one of [actual, expected])
      one.rows().remap(Uint32Array.of(6, 2, 1), { resetRows: Uint32Array.of(0, 1, 0) });
    take(3);
    await check();
    expect(codeOf(() => actual.rows().remap(new Uint32Array(9)))).toBe("INVALID_MEMORY");
    await check();
  });

  test("are restored, explained, and exchanged with weights to evaluate with", async () => {
    const { laidOut, actual, expected, check } = pair();
    actual.step({ w: gradient(1) });
    expected.step({ w: gradient(1) });
    const state = await expected.state();
    laidOut.m.write(new Float32Array(15));
    actual.restore(state);
    await check();
    const explained = await actual.explain("w", 4, gradient(2));
    expect(String(explained)).toBe(String(await expected.explain("w", 4, gradient(2))));
    const specs: OptimizerSpec[] = [chain(sgd(), ema()), scheduleFreeSgd()];
    for (const spec of specs) {
      const { p } = structs();
      p.write(first);
      const copy = new Uint16Array(15);
      const optimizer = createOptimizer(
        spec,
        { w: p },
        { copies: { w: backend.wrap(copy, { shape }) } },
      );
      const plain = backend.tensor(shape, first);
      const other = createOptimizer(spec, { w: plain });
      for (let i = 0; i < 3; i += 1) {
        optimizer.step({ w: gradient(i) });
        other.step({ w: gradient(i) });
      }
      const trained = copy.slice();
      optimizer.swap();
      other.swap();
      expect(bits(await p.read())).toEqual(bits(await plain.read()));
      expect(copy).not.toEqual(trained);
      optimizer.swap();
      other.swap();
      expect(bits(await p.read())).toEqual(bits(await plain.read()));
      expect(copy).toEqual(trained);
    }
  });
});

describe("gradients", () => {
  const fixed = (scale: number, values: Float32Array): Int32Array =>
    Int32Array.from(values, (value) => Math.round(value / scale));

  test("in fixed point, by activated values, are those that are computed by hand", async () => {
    const scale = 2 ** -20;
    const f32 = Math.fround;
    const w = backend.tensor(shape, first);
    const optimizer = createOptimizer(
      sgd({ learningRate: 1 }),
      { w },
      {
        activatedGradients: { w: "exp" },
      },
    );
    const stored = fixed(scale, gradient(1));
    const explained = await optimizer.explain("w", 2, {
      w: backend.wrap(stored, { shape, scale }),
    });
    optimizer.step({ w: backend.wrap(stored, { shape, scale }) });
    const expected = first.map((p, i) =>
      f32(p - f32(f32(f32(stored[i]) * scale) * f32(Math.exp(p)))),
    );
    expect(bits(await w.read())).toEqual(bits(expected));
    expect(explained.after).toBe(expected[2]);
  });

  test.each([{}, { nonFinite: "skip" }, { lossScale: 4 }] as const)(
    "are cleared with accumulate, and the steps are those without clear; %o",
    async (options) => {
      const [cleared, kept] = [true, false].map((clear) => {
        const w = backend.tensor(
          shape,
          Array.from({ length: 15 }, (_, i) => i + 1),
        );
        const optimizer = createOptimizer(adam(), { w }, { accumulate: 2, ...options });
        const gradient = optimizer.gradient("w");
        for (let call = 0; call < 8; call += 1) {
          gradient.write(Array.from({ length: 15 }, (_, i) => Math.sin(call * i)));
          const skips = Object.keys(options).length > 0;
          if (skips && call === 3) gradient.write(Array.from({ length: 15 }, () => Infinity));
          optimizer.step({ w: gradient }, { clear });
        }
        return { w, gradient };
      });
      expect(bits(await cleared.w.read())).toEqual(bits(await kept.w.read()));
      expect(new Set(await cleared.gradient.read())).toEqual(new Set([0]));
    },
  );

  test("are cleared in all rows, when they are added, and when their step is skipped", () => {
    const make = (options = {}) =>
      createOptimizer(sgd(), { w: backend.tensor(shape), b: backend.tensor([2]) }, options);
    const given = () => {
      const memory = Float32Array.from({ length: 20 }, (_, i) => i + 1);
      return { memory, w: backend.wrap(memory, { shape, rowStride: 4 }) };
    };
    const left = [...given().memory].map((value, i) => (i % 4 === 3 ? value : 0));
    const masked = given();
    make().step({ w: masked.w }, { clear: true, rows: Uint32Array.of(0, 1, 0, 0, 1) });
    expect([...masked.memory]).toEqual(left);

    const b = new Float32Array(2).fill(3);
    const accumulating = make({ accumulate: 2 });
    const added = given();
    accumulating.step({ w: added.w, b }, { clear: true });
    expect([...added.memory]).toEqual(left);
    expect([...b]).toEqual([0, 0]);
    expect(accumulating.iterations).toBe(0);

    const skipping = make({ nonFinite: "skip" });
    const bad = given();
    bad.memory[5] = Number.NaN;
    const array = Float32Array.of(1, 2);
    skipping.step({ w: bad.w, b: array }, { clear: true });
    expect(skipping.skippedSteps).toBe(1);
    expect([...bad.memory]).toEqual(left);
    expect([...array]).toEqual([0, 0]);

    const throwing = make({ nonFinite: "throw" });
    const kept = given();
    kept.memory[5] = Infinity;
    const before = [...kept.memory];
    expect(codeOf(() => throwing.step({ w: kept.w }, { clear: true }))).toBe("NON_FINITE");
    expect([...kept.memory]).toEqual(before);
    // The gap between rows is not part of it.
    kept.memory[5] = 1;
    kept.memory[3] = Number.NaN;
    throwing.step({ w: kept.w });
    expect(throwing.iterations).toBe(1);
  });

  test("with gaps between other rows than the parameter's are refused; in one dimension, they need only the size", () => {
    const w = backend.tensor(shape, first);
    const optimizer = createOptimizer(sgd(), { w });
    const wrong = backend.wrap(new Float32Array(40), { shape: [15], rowStride: 2 });
    expect(codeOf(() => optimizer.step({ w: wrong }))).toBe("INVALID_SHAPE");
    optimizer.step({ w: backend.wrap(new Int32Array(15), { shape: [15], scale: 0.5 }) });
    expect(codeOf(() => optimizer.step({ w: backend.wrap(new Uint32Array(15)) }))).toBe(
      "INVALID_GRADIENT",
    );
  });
});

test("copies of several parameters share words, and follow steps with the same tensors", async () => {
  const words = new Uint16Array(4 * rows).fill(0xabcd);
  const place = (columns: number, offset: number): Tensor =>
    backend.wrap(words, { shape: [rows, columns], offset, rowStride: 4 });
  const w = backend.tensor([rows, 2], first.subarray(0, 10));
  const b = backend.tensor([rows, 1], first.subarray(10));
  const optimizer = createOptimizer(
    sgd({ learningRate: 0.5 }),
    { w, b },
    { copies: { w: place(2, 0), b: { to: place(1, 2), as: "sigmoid" } } },
  );
  const gradients = {
    w: backend.tensor([rows, 2], gradient(1).subarray(0, 10)),
    b: backend.tensor([rows, 1], gradient(2).subarray(0, 5)),
  };
  for (let i = 0; i < 4; i += 1) {
    optimizer.step(gradients);
    const read = await place(2, 0).read();
    const expected = await w.read();
    read.forEach((value, k) =>
      expect(Math.abs(value - expected[k])).toBeLessThanOrEqual(Math.abs(expected[k]) / 2 ** 11),
    );
    const opacity = await place(1, 2).read();
    (await b.read()).forEach((value, k) => {
      expect(Math.abs(opacity[k] - 1 / (1 + Math.exp(-value)))).toBeLessThan(2 ** -11);
    });
    expect(words.filter((_, k) => k % 4 === 3)).toEqual(new Uint16Array(rows).fill(0xabcd));
  }
});

test("rules with reductions run on structs, and change nothing if a tensor lost its memory", async () => {
  const { p, m, v } = structs();
  p.write(first);
  const optimizer = createOptimizer(lamb(), { w: p }, { slots: { w: { m, v } } });
  optimizer.reset();
  const plain = backend.tensor(shape, first);
  const other = createOptimizer(lamb(), { w: plain });
  for (let i = 0; i < 3; i += 1) {
    optimizer.step({ w: gradient(i) });
    other.step({ w: gradient(i) });
    expect(bits(await p.read())).toEqual(bits(await plain.read()));
  }
  const copy = new Float32Array(15);
  const copied = createOptimizer(
    adam(),
    { w: plain },
    { copies: { w: { to: backend.wrap(copy, { shape: [5, 3] }), as: "exp" } } },
  );
  structuredClone(copy.buffer, { transfer: [copy.buffer] });
  const before = bits(await plain.read());
  expect(codeOf(() => copied.step({ w: gradient(1) }))).toBe("DISPOSED");
  expect(bits(await plain.read())).toEqual(before);
});

test("gradients of 64 bits in structs keep all of them, and are finite beyond the range of 32", async () => {
  const host = oracle();
  const memory = new Float64Array(6);
  const g = host.wrap(memory, { shape: [2, 2], offset: 1, rowStride: 3 });
  const w = host.tensor([2, 2]);
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w }, { nonFinite: "skip" });
  const values = [1 / 3, 1e300, -1e-300, 1 + 2 ** -40];
  g.write(values);
  optimizer.step({ w: g });
  expect(optimizer.iterations).toBe(1);
  expect([...(await w.read())]).toEqual(values.map((value) => -value));
  g.write([1, 1, 1, Infinity]);
  optimizer.step({ w: g });
  expect(optimizer.iterations).toBe(1);
});
