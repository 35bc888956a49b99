import {
  adam,
  adamax,
  createOptimizer,
  defineRule,
  lion,
  nadam,
  nonNegative,
  rmsprop,
  sgd,
  type Tensor,
  identity,
} from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { nodeGpu } from "@gradstep/webgpu/node";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { rules } from "@gradstep/core/rules";
import { countingDevice, type Counts } from "./counting-device.js";
import { cases as caseCount, everyNth, seed } from "../../../testing/cases.js";
import { bufferOf, describe, newBackend, sharedDevice, wordsOf } from "./gpu.js";
import { encodeFloat16 } from "./float16.js";
import { rowFeatures, rowSources } from "./kernel-sources.js";
import { Random } from "./random.js";
import { randomCase, scalarsOf } from "./row-cases.js";
import { RowFixture, type RowCase } from "./row-fixture.js";

const noErrors = { values: 0, copies: 0, outside: 0 };

describe("rows", () => {
  test(`variants of all rules compile in every layout (seed ${seed})`, async () => {
    const device = await sharedDevice();
    const variants = rules.flatMap((rule) => [...rule.variants()]);
    const sources = new Set(variants.flatMap((one) => rowSources(one, rowFeatures)));
    expect(sources.size).toBeGreaterThan(400);
    for (const code of everyNth([...sources], 10)) {
      const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
      expect(messages.map(({ message }) => `${message}\n${code}`)).toEqual([]);
    }
  });

  test.each([
    ["sgd", sgd({ momentum: 0.9 })],
    ["rmsprop", rmsprop({ momentum: 0.9 })],
    ["adam", adam({ weightDecay: 0.1 })],
    ["adamax", adamax()],
    ["nadam", nadam()],
    ["lion", lion()],
  ])(
    "%s: unselected rows, with masks that select no, some and all rows",
    async (_, { rule, options }) => {
      const backend = await newBackend();
      const variant = rule.variant(options);
      const random = new Random(11);
      for (const unselectedRows of ["keep", "decay", "zero"] as const) {
        for (const density of [0, 0.3, 1]) {
          const cases = (["plain", "f16"] as const).map((gradient): RowCase => ({
            ...randomCase(random, scalarsOf(variant, random)),
            rows: 50,
            gradient,
            mask: "array",
            unselectedRows,
            density,
          }));
          const fixture = new RowFixture(backend, variant, random, cases);
          backend.compile(variant).run(fixture.updates, fixture.updates.length);
          expect({ unselectedRows, density, ...(await fixture.findings()) }).toEqual({
            unselectedRows,
            density,
            ...noErrors,
          });
        }
      }
    },
  );

  test("slots can have any name that a rule allows, including names of the shader", async () => {
    const { rule } = defineRule({
      name: "named",
      hyperparameters: { learningRate: nonNegative(0.1) },
      slots: { word: 0, mask: 0, row_copy0: 0, row_mask: 0 },
      perElement: `
        word = word + g
        mask = mask + word
        row_copy0 = row_copy0 - g
        row_mask = row_mask - row_copy0
        p = p - (word + mask + row_copy0 + row_mask) * learningRate
      `,
    });
    const variant = rule.variant();
    const limits = { maxStorageBuffersPerShaderStage: 9 };
    const { gpu } = await nodeGpu();
    const device = await (await gpu.requestAdapter())!.requestDevice({ requiredLimits: limits });
    const backend = webgpu({ device });
    const random = new Random(8);
    const cases = Array.from({ length: 20 }, () => randomCase(random, scalarsOf(variant, random)));
    const fixture = new RowFixture(backend, variant, random, cases);
    backend.compile(variant).run(fixture.updates, fixture.updates.length);
    expect(await fixture.findings()).toEqual(noErrors);
    device.destroy();
  });

  test(`random tensors: the values are right, and no byte outside changes (seed ${seed})`, async () => {
    const variant = adam().rule.variant();
    const random = new Random(seed);
    for (let round = 0; round < caseCount(25, 4); round += 1) {
      const backend = await newBackend();
      const groups = Array.from({ length: 20 }, () => scalarsOf(variant, random));
      const cases = Array.from({ length: 40 }, () => randomCase(random, groups[random.below(20)]));
      const fixture = new RowFixture(backend, variant, random, cases);
      backend.compile(variant).run(fixture.updates, fixture.updates.length);
      expect(await fixture.findings()).toEqual(noErrors);
      await backend.ready();
      backend.dispose();
    }
  });

  test("gradients in the parameters' buffer", async () => {
    const backend = await newBackend();
    const variant = adam().rule.variant();
    const random = new Random(6);
    for (let round = 0; round < caseCount(10, 3); round += 1) {
      const scalars = scalarsOf(variant, random);
      const cases = Array.from({ length: 10 }, () => randomCase(random, scalars));
      const fixture = new RowFixture(backend, variant, random, cases, true);
      backend.compile(variant).run(fixture.updates, fixture.updates.length);
      expect(await fixture.findings()).toEqual(noErrors);
    }
    await backend.ready();
  });

  test("masks as arrays: one write per array, however many tensors share it; the arrays may change with each step", async () => {
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const names = ["a", "b", "c"];
    const parameters = Object.fromEntries(names.map((name) => [name, backend.tensor([8, 2])]));
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), parameters);
    const gradients = Object.fromEntries(names.map((name) => [name, optimizer.gradient(name)]));
    for (const gradient of Object.values(gradients)) gradient.write(new Float32Array(16).fill(-1));
    const expected = new Float32Array(16);
    let before: Counts = {};
    for (let step = 0; step < 6; step += 1) {
      if (step === 1) before = { ...counts };
      const mask = Uint32Array.from({ length: 8 }, (_, row) => (row + step) % 3);
      expected.forEach((value, at) => {
        expected[at] = value + (mask[Math.floor(at / 2)] === 0 ? 0 : 1);
      });
      optimizer.step(gradients, { rows: mask });
      // The step has copied it.
      mask.fill(0);
    }
    const since = Object.keys(counts).map(
      (key) => [key, counts[key] - (before[key] ?? 0)] as const,
    );
    expect(Object.fromEntries(since.filter(([, count]) => count > 0))).toEqual({
      createCommandEncoder: 5,
      submit: 5,
      // The masks: scalars that do not change are not written.
      writeBuffer: 5,
    });
    for (const tensor of Object.values(parameters))
      expect(Array.from(await tensor.read())).toEqual(Array.from(expected));
    // One array per tensor: three writes.
    const own = (): Record<string, Uint32Array> =>
      Object.fromEntries(names.map((name) => [name, new Uint32Array(8)]));
    optimizer.step(gradients, { rows: own() });
    before = { ...counts };
    optimizer.step(gradients, { rows: own() });
    expect(counts.writeBuffer - before.writeBuffer).toBe(3);
    expect(counts.createBuffer).toBe(before.createBuffer);
  });

  test("arrays in one buffer share a binding; what a device cannot bind is refused, and nothing has changed", async () => {
    const device = await sharedDevice();
    const backend = webgpu({ device });
    const values = new Float32Array(64).fill(1);
    const [one, other] = [bufferOf(device, values), bufferOf(device, values)];
    const half = (buffer: GPUBuffer, offset: number, rowStride = 3): Tensor =>
      backend.wrap(buffer, { shape: [4, 3], dtype: "f16", offset, rowStride });
    const w = (): Tensor => backend.wrap(one, { shape: [4, 3] });
    const code = (action: () => unknown): unknown => {
      try {
        return action();
      } catch (error) {
        return (error as { code: unknown }).code;
      }
    };
    const step = (w: Tensor, gradient: Tensor, options: object, copy?: Tensor): unknown =>
      code(() => {
        const optimizer = createOptimizer(adam(), { w }, copy && { copies: { w: copy } });
        optimizer.step({ w: gradient }, options);
        return optimizer.iterations;
      });
    const mask = (buffer: GPUBuffer): Tensor =>
      backend.wrap(buffer, { shape: [4], offset: 40, dtype: "u32" });
    const gradient = half(other, 0);
    expect(step(w(), gradient, {})).toBe(1);
    expect(step(w(), gradient, { rows: mask(other) })).toBe(1);
    const third = bufferOf(device, values);
    for (const [rows, copy] of [
      [mask(one), undefined],
      [undefined, half(one, 100)],
      [undefined, half(other, 100)],
      [mask(third), half(third, 0)],
      [undefined, half(third, 1)],
      [undefined, half(third, 0, 5)],
    ] as const)
      expect(step(w(), gradient, { rows }, copy)).toBe(1);
    await backend.ready();
    // A row that is larger than a binding.
    const { device: tight } = countingDevice(device, { maxStorageBufferBindingSize: 1024 });
    const small = webgpu({ device: tight });
    const wide = createOptimizer(adam(), { w: small.tensor([2, 300]) });
    expect(code(() => wide.step({ w: new Float32Array(600) }, { rows: new Uint32Array(2) }))).toBe(
      "UNSUPPORTED",
    );
    // Table, p, g, three slots, mask and mirror.
    const variant = [...adam().rule.variants()].find(({ slots }) => slots.length === 3)!;
    const random = new Random(1);
    const scalars = scalarsOf(variant, random);
    const fixture = new RowFixture(backend, variant, random, [
      { ...randomCase(random, scalars), mask: "array", mirror: "contiguous" },
    ]);
    backend.compile(variant).run(fixture.updates, 1);
    expect(await fixture.findings()).toEqual(noErrors);
    const seven = webgpu({
      device: countingDevice(device, { maxStorageBuffersPerShaderStage: 7 }).device,
    });
    const narrow = new RowFixture(seven, variant, random, [
      { ...randomCase(random, scalars), mask: "array", mirror: "contiguous" },
    ]);
    expect(() => seven.compile(variant).run(narrow.updates, 1)).toThrow(
      "3 slots, a mask, a copy needs 8 storage buffers",
    );
  });

  test("a gradient without gaps may have one dimension, and no other shape than its parameter", async () => {
    const device = await sharedDevice();
    const backend = webgpu({ device });
    const w = backend.tensor([4, 3]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    const numbers = Float32Array.from({ length: 12 }, (_, i) => i + 1);
    const f16 = bufferOf(device, new Float32Array(Uint16Array.from(numbers, encodeFloat16).buffer));
    const rows = Uint32Array.of(1, 0, 1, 0);
    const expected = Array.from(numbers, (value, i) =>
      rows[Math.floor(i / 3)] === 0 ? 0 : -value,
    );
    for (const gradient of [
      backend.tensor([12], numbers),
      backend.tensor([4, 3], numbers),
      backend.wrap(f16, { dtype: "f16" }),
      backend.wrap(f16, { dtype: "f16", shape: [4, 3] }),
    ]) {
      w.write(new Float32Array(12));
      optimizer.step({ w: gradient }, { rows });
      expect(Array.from(await w.read(), (value) => value + 0)).toEqual(expected);
    }
    const spread = bufferOf(device, new Float32Array(64));
    for (const gradient of [
      backend.wrap(spread, { shape: [6, 2], rowStride: 4 }),
      backend.wrap(spread, { shape: [12], rowStride: 4 }),
      backend.tensor([3, 4], numbers),
      backend.wrap(f16, { dtype: "f16", shape: [6, 2] }),
    ])
      expect(() => optimizer.step({ w: gradient })).toThrow(
        expect.objectContaining({ code: "INVALID_SHAPE" }) as Error,
      );
    expect(optimizer.iterations).toBe(4);
  });

  test("masks and indices can be in shared or resizable memory, and arrays of another realm", async () => {
    const backend = await newBackend();
    const shared = new Uint32Array(new SharedArrayBuffer(12)).subarray(1);
    const otherRealm = runInNewContext("Uint32Array.of(0, 1)") as Uint32Array;
    const memory = Reflect.construct(ArrayBuffer, [8, { maxByteLength: 64 }]) as ArrayBuffer;
    const resizable = new Uint32Array(memory);
    shared[1] = 1;
    resizable[1] = 1;
    for (const rows of [shared, resizable, otherRealm]) {
      const w = backend.tensor([2]);
      const optimizer = createOptimizer(sgd({ learningRate: 1, momentum: 0.5 }), { w });
      for (let i = 0; i < 2; i += 1) optimizer.step({ w: Float32Array.of(-1, -2) }, { rows });
      expect([...(await w.read())]).toEqual([0, 5]);
      // Row 1 keeps its place, and its momentum becomes 0.
      optimizer.rows().remap(rows, { resetRows: rows });
      optimizer.step({ w: Float32Array.of(-1, -2) }, { rows });
      expect([...(await w.read())]).toEqual([0, 7]);
    }
  });

  test("tensors that shared a mask can have different ones at the next step, and vice versa", async () => {
    const backend = await newBackend();
    const names = ["a", "b", "c"] as const;
    const parameters = Object.fromEntries(names.map((name) => [name, backend.tensor([2])]));
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), parameters);
    const ones = Float32Array.of(-1, -1);
    const gradients = { a: ones, b: ones, c: ones };
    const [m, n] = [Uint32Array.of(1, 0), Uint32Array.of(0, 1)];
    const expected = [0, 0, 0, 0, 0, 0];
    for (const masks of [
      [m, m, m],
      [n, m, n],
      [m, m, n],
      [n, n, n],
      [n, n, m],
    ]) {
      optimizer.step(gradients, { rows: { a: masks[0], b: masks[1], c: masks[2] } });
      masks.forEach((mask, i) => {
        expected[2 * i] += mask[0];
        expected[2 * i + 1] += mask[1];
      });
      const got = await Promise.all(names.map((name) => parameters[name].read()));
      expect(got.flatMap((values) => [...values])).toEqual(expected);
    }
  });

  test("fillCopy uses the rows of the copy, whatever the shape of the source", async () => {
    const backend = await newBackend();
    const numbers = Float32Array.from({ length: 12 }, (_, i) => i + 1);
    for (const shape of [[12], [12, 1], [4, 3], [2, 6]]) {
      const source = backend.tensor(shape, numbers);
      for (const [rows, columns, rowStride] of [
        [3, 4, 6],
        [12, 1, 2],
        [4, 3, 3],
      ]) {
        const before = Uint16Array.from({ length: 32 }, () => 0x7000);
        const buffer = bufferOf(backend.device, new Float32Array(before.buffer.slice(0)));
        const copy = { shape: [rows, columns], dtype: "f16", rowStride, offset: 2 } as const;
        backend.fillCopy(source, { target: backend.wrap(buffer, copy), activation: identity });
        numbers.forEach((value, i) => {
          before[2 + Math.floor(i / columns) * rowStride + (i % columns)] = encodeFloat16(value);
        });
        const after = new Uint16Array((await wordsOf(backend.device, buffer)).buffer);
        expect([...after]).toEqual([...before]);
      }
    }
  });

  test("copies in fields of the same structs, and words that a mirror only half covers", async () => {
    const device = await sharedDevice();
    const backend = webgpu({ device });
    const contents = Uint16Array.from({ length: 32 }, (_, i) => 0x7000 + i);
    const buffer = bufferOf(device, new Float32Array(contents.buffer.slice(0)));
    const copy = (offset: number, columns: number): Tensor =>
      backend.wrap(buffer, { shape: [4, columns], dtype: "f16", offset, rowStride: 8 });
    const parameters = {
      a: backend.tensor([4, 3], new Float32Array(12).fill(1)),
      b: backend.tensor([4, 2], new Float32Array(8).fill(2)),
    };
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), parameters, {
      copies: { a: copy(0, 3), b: copy(4, 2) },
    });
    const rows = (a: number, b: number): number[] =>
      Array.from({ length: 32 }, (_, i) => [a, a, a, 0, b, b, 0, 0][i % 8] || 0x7000 + i);
    const halves = async (): Promise<number[]> => [
      ...new Uint16Array((await wordsOf(device, buffer)).buffer),
    ];
    expect(await halves()).toEqual(rows(0x3c00, 0x4000));
    const gradients = { a: new Float32Array(12).fill(-1), b: new Float32Array(8).fill(-1) };
    optimizer.step(gradients);
    expect(await halves()).toEqual(rows(0x4000, 0x4200));
    // Mirrors that overlap are refused.
    expect(() =>
      createOptimizer(sgd(), parameters, { copies: { a: copy(0, 3), b: copy(2, 2) } }),
    ).toThrow(expect.objectContaining({ code: "OVERLAPPING_MEMORY" }) as Error);
  });

  test.each([1024, 2048, 4096])(
    "bindings of %i bytes: larger tensors are split by rows",
    async (size) => {
      const { device } = countingDevice(await sharedDevice(), {
        maxStorageBufferBindingSize: size,
        maxComputeWorkgroupsPerDimension: 3,
      });
      const backend = webgpu({ device });
      const variant = adam().rule.variant();
      const random = new Random(size);
      for (let round = 0; round < caseCount(8, 2); round += 1) {
        const cases = Array.from({ length: 3 }, () =>
          randomCase(random, scalarsOf(variant, random), 300),
        );
        const fixture = new RowFixture(backend, variant, random, cases);
        backend.compile(variant).run(fixture.updates, fixture.updates.length);
        expect(await fixture.findings()).toEqual(noErrors);
      }
      await backend.ready();
    },
  );
});
