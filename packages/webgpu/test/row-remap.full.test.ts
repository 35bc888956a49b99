import {
  adam,
  createOptimizer,
  newRow,
  type RowMove,
  type RowValues,
  type Tensor,
} from "@gradstep/core";
import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import type { GatheredTensor } from "../src/planning/remap/gathered-tensor.js";
import { maxScratchLength, planRemap } from "../src/planning/remap/remap-plan.js";
import { countingDevice } from "./counting-device.js";
import { cases, seed } from "../../../testing/cases.js";
import { bufferOf, describe, newBackend, sharedDevice, wordsOf } from "./gpu.js";
import { Random } from "./random.js";

type Words = Uint32Array<ArrayBuffer>;

/** The values of a tensor, bit for bit. */
async function bitsOf({ device }: WebGpu, { memory }: Tensor): Promise<Words> {
  const words = await wordsOf(device, memory.buffer as GPUBuffer);
  return words.slice(memory.byteOffset / 4, (memory.byteOffset + memory.byteLength) / 4);
}

function anyWords(random: Random, length: number): Words {
  return Uint32Array.from({ length }, () => random.below(2 ** 32));
}

/** Rows without the gaps between them. */
function rowsOf(words: Words, start: number, stride: number, [rows, columns]: number[]): Words {
  const at = (i: number): number => start + Math.floor(i / columns) * stride + (i % columns);
  return Uint32Array.from({ length: rows * columns }, (_, i) => words[at(i)]);
}

/** The expected words of a tensor after a remap. @param initial of rows that are reset, or their values */
function moved(
  before: Words,
  columns: number,
  initial: number | Words,
  reset: "added" | "all" | Words,
  indices: Words,
): Words {
  const rows = before.length / columns;
  const begin = new Uint32Array(
    new Float32Array([typeof initial === "number" ? initial : 0]).buffer,
  )[0];
  return Uint32Array.from({ length: indices.length * columns }, (_, at) => {
    const row = Math.floor(at / columns);
    const isReset =
      reset === "all" || indices[row] >= rows || (reset !== "added" && reset[row] !== 0);
    if (isReset && typeof initial !== "number") return initial[at];
    return isReset ? begin : before[indices[row] * columns + (at % columns)];
  });
}

describe("remap", () => {
  test.each([
    ["of the device's size", {}],
    ["of 1,024 bytes", { maxStorageBufferBindingSize: 1024, maxComputeWorkgroupsPerDimension: 3 }],
    ["of 4,096 bytes", { maxStorageBufferBindingSize: 4096, maxComputeWorkgroupsPerDimension: 5 }],
    // Scratch memory is a quarter of it, so that columns are moved one after the other.
    ["of the device's size, buffers of 16,384 bytes", { maxBufferSize: 16_384 }],
  ])(
    `bindings %s: random remaps keep all bits, and no byte outside changes (seed ${seed})`,
    async (_, limits) => {
      const random = new Random(seed);
      for (let round = 0; round < cases(20, 3); round += 1) {
        const real = await sharedDevice();
        const backend = webgpu({ device: countingDevice(real, limits).device });
        const capacity = 1 + random.below(400);
        let count = 1 + random.below(capacity);
        // Wrapped ranges of one buffer, at random offsets or as fields of one row, and memory of the backend.
        const shapes = Array.from({ length: 4 }, () => 1 + random.below(9));
        const areFields = round % 2 === 1;
        const starts: number[] = [];
        let end = random.below(9);
        const first = end;
        for (const columns of shapes) {
          starts.push(end);
          end += (areFields ? 1 : capacity) * columns + random.below(9);
        }
        const rowLength = end - first;
        if (areFields) end = first + rowLength * capacity;
        const strides = shapes.map((columns) => (areFields ? rowLength : columns));
        const contents = anyWords(random, end + 5);
        const memory = bufferOf(real, new Float32Array(contents.buffer.slice(0)));
        const tensors = shapes.flatMap((columns, k) => {
          const shape = [count, columns];
          const own = backend.tensor(shape, undefined, k % 2);
          const { buffer, byteOffset } = own.memory as { buffer: GPUBuffer; byteOffset: number };
          const values = anyWords(random, count * columns);
          real.queue.writeBuffer(buffer, byteOffset, values);
          return [
            {
              tensor: backend.wrap(memory, {
                shape,
                offset: starts[k],
                capacity,
                rowStride: strides[k],
              }),
              values: rowsOf(contents, starts[k], strides[k], shape),
            },
            { tensor: own, values },
          ];
        });
        for (let i = 0; i < 4; i += 1) {
          const next = 1 + random.below(capacity);
          const pick = (): number => (random.below(5) === 0 ? newRow : random.below(count + 2));
          const indices = Uint32Array.from({ length: next }, pick);
          const flags = (): Words => Uint32Array.from({ length: next }, () => random.below(3));
          // As an array, which may be too long, or as u32s with gaps in a buffer.
          const given = (values: Words): RowValues => {
            if (random.below(2) === 0) return Uint32Array.from([...values, 7]);
            const step = 1 + random.below(3);
            const words = anyWords(random, 2 + next * step);
            values.forEach((value, row) => {
              words[1 + row * step] = value;
            });
            const buffer = bufferOf(real, new Float32Array(words.buffer));
            return backend.wrap(buffer, {
              shape: [next],
              offset: 1,
              rowStride: step,
              dtype: "u32",
            });
          };
          const resets = [flags(), flags()].map((words) => ({ words, given: given(words) }));
          const initials = tensors.map(() => (random.below(2) === 0 ? 0 : random.unit()));
          // The second of two tensors may be reset from the first, or from one that was moved already.
          const from = tensors.map((_, k) => (k % 2 === 1 ? random.below(3) : 0));
          const replacement = tensors.map((_, k) =>
            anyWords(random, next * shapes[Math.floor(k / 2)]),
          );
          const kinds = tensors.map((_, k) => (from[k + 1] === 1 ? 0 : random.below(4)));
          const initialOf = (k: number): number | Tensor => {
            if (from[k] === 0) return initials[k];
            if (from[k] === 1) return tensors[k - 1].tensor;
            const other = backend.tensor([next, shapes[Math.floor(k / 2)]]);
            const { buffer, byteOffset } = other.memory;
            real.queue.writeBuffer(buffer, byteOffset, replacement[k]);
            return other;
          };
          const moves = tensors.map(({ tensor }, k): RowMove => ({
            tensor,
            initial: initialOf(k),
            reset: (["added", "all", resets[0].given, resets[1].given] as const)[kinds[k]],
          }));
          backend.remap(moves, { count: next, indices: given(indices) });
          for (const [k, one] of tensors.entries()) {
            const columns = shapes[Math.floor(k / 2)];
            const reset = (["added", "all", resets[0].words, resets[1].words] as const)[kinds[k]];
            const initial = [initials[k], tensors[k - 1]?.values, replacement[k]][from[k]];
            one.values = moved(one.values, columns, initial, reset, indices);
            expect(one.tensor.shape).toEqual([next, columns]);
            const [start, stride] = [starts[k / 2], strides[k / 2]];
            let found = one.values;
            if (k % 2 === 0) {
              for (let row = 0; row < next; row += 1)
                contents.set(
                  one.values.subarray(row * columns, (row + 1) * columns),
                  start + row * stride,
                );
            } else found = await bitsOf(backend, one.tensor);
            expect(found).toEqual(one.values);
          }
          count = next;
          expect(await wordsOf(real, memory)).toEqual(contents);
        }
        await backend.ready();
        backend.dispose();
      }
    },
  );

  test("scratch memory is 64 MiB at most, unless one column needs more", () => {
    const limits = { maxBindingSize: 2 ** 27, alignment: 256 };
    const maxScratch = maxScratchLength({ limits: { maxBufferSize: 2 ** 28 } } as GPUDevice);
    const planOf = (count: number, columns: readonly number[]) => {
      const indices = { buffer: {} as GPUBuffer, start: 0, stride: 1 };
      const tensors = columns.map((length): GatheredTensor => {
        const source = { buffer: {} as GPUBuffer, start: 0, stride: length, rows: count };
        const [target, padding, initial] = [source, 0, 0];
        const reset = "added" as const;
        return { columns: length, source, target, padding, reset, resetRows: indices, initial };
      });
      const plan = planRemap(tensors, { count, indices }, limits, maxScratch);
      return [plan.scratchLength, plan.batches({} as GPUBuffer).length];
    };
    // Splats with 45 harmonics, and their moments: 13 columns at a time.
    const splat = [3, 3, 4, 1, 3, 45];
    const [scratch, batches] = planOf(1_200_000, [...splat, ...splat, ...splat]);
    expect(scratch).toBeLessThanOrEqual(2 ** 26);
    expect(batches).toBeLessThanOrEqual(18);
    expect(planOf(2 ** 24 + 1, [3])).toEqual([2 ** 26 + 4, 3]);
    expect(planOf(1000, [3, 3, 4])).toEqual([40_000, 1]);
  });

  test("memory of the backend grows by at least half, and its padding is 0", async () => {
    const backend = await newBackend();
    const tensor = backend.tensor([64, 3], new Float32Array(192).fill(5), 2);
    const move: RowMove = { tensor, initial: 1, reset: "added" };
    const buffers = new Set<unknown>([tensor.memory.buffer]);
    let moves = 0;
    for (let rows = 65; rows < cases(2000, 500); rows += 1) {
      const { buffer, byteOffset } = tensor.memory;
      backend.remap([move], { count: rows, indices: new Uint32Array(rows) });
      if (tensor.memory.buffer !== buffer || tensor.memory.byteOffset !== byteOffset) moves += 1;
      buffers.add(tensor.memory.buffer);
    }
    expect(moves).toBeLessThanOrEqual(cases(9, 6));
    backend.remap([move], { count: 3, indices: new Uint32Array(3) });
    const { buffer, byteOffset } = tensor.memory as { buffer: GPUBuffer; byteOffset: number };
    const words = (await wordsOf(backend.device, buffer)).slice(byteOffset / 4);
    expect(Array.from(new Float32Array(words.buffer).subarray(0, 64))).toEqual([
      ...Array.from({ length: 9 }, () => 5),
      ...Array.from({ length: 55 }, () => 0),
    ]);
  });

  test("remaps that exceed memory or move packed tensors are refused, and nothing has changed", async () => {
    const real = await sharedDevice();
    const { device } = countingDevice(real, { maxBufferSize: 2 ** 20 });
    const backend = webgpu({ device });
    const own = backend.tensor([2, 2], [1, 2, 3, 4]);
    const wrapped = backend.wrap(bufferOf(real, new Float32Array(8).fill(7)), { shape: [2, 2] });
    const buffer = real.createBuffer({ size: 32, usage: 0x80 | 0x4 });
    const half = backend.wrap(buffer, { shape: [2, 2], dtype: "f16" });
    const place = { ...own.memory };
    const remap = (tensor: Tensor, count: number, reset: RowMove["reset"] = "added"): void => {
      const moves: RowMove[] = [own, tensor].map((one) => ({
        tensor: one,
        initial: 0,
        reset: one === own ? "added" : reset,
      }));
      const indices = new Uint32Array(count);
      backend.remap(moves, { count, indices });
    };
    const fails = (code: string): Error => expect.objectContaining({ code }) as Error;
    expect(() => remap(wrapped, 3)).toThrow(fails("INVALID_MEMORY"));
    expect(() => remap(wrapped, 3)).toThrow("capacity is 2 rows");
    expect(() => remap(half, 2)).toThrow(fails("UNSUPPORTED"));
    expect(() => remap(half, 17, "written")).toThrow(fails("INVALID_MEMORY"));
    const large = backend.tensor([2, 2]);
    expect(() => remap(large, 2 ** 18)).toThrow(fails("OUT_OF_MEMORY"));
    large.free();
    expect(() => remap(large, 1)).toThrow(fails("DISPOSED"));
    expect(own.memory).toEqual(place);
    expect(own.shape).toEqual([2, 2]);
    expect(Array.from(await own.read())).toEqual([1, 2, 3, 4]);
    remap(half, 1, "written");
    expect(half.shape).toEqual([1, 2]);
    expect(Array.from(await own.read())).toEqual([1, 2]);
  });

  test("a copy with any stride grows and shrinks with its parameter", async () => {
    const backend = await newBackend();
    const buffer = bufferOf(backend.device, new Float32Array(32));
    const copy = (rowStride: number): Tensor =>
      backend.wrap(buffer, { shape: [1, 3], dtype: "f16", rowStride, capacity: 4 });
    const w = backend.tensor([1, 3], [1, 2, 3]);
    for (const stride of [3, 5, 6]) {
      w.write([1, 2, 3]);
      const copies = { w: copy(stride) };
      const optimizer = createOptimizer(adam(), { w }, { copies });
      optimizer.rows().remap(Uint32Array.of(0, newRow, 0));
      expect([...(await copies.w.read())]).toEqual([1, 2, 3, 0, 0, 0, 1, 2, 3]);
      optimizer.rows().remap(Uint32Array.of(2));
      expect([...(await copies.w.read())]).toEqual([1, 2, 3]);
    }
  });

  test("a copy can be replaced by one at any offset", async () => {
    const backend = await newBackend();
    const buffer = bufferOf(backend.device, new Float32Array(32));
    const copy = (rows: number, offset: number): Tensor =>
      backend.wrap(buffer, { shape: [rows, 3], dtype: "f16", offset });
    const w = backend.tensor([1, 3], [1, 2, 3]);
    const optimizer = createOptimizer(adam(), { w }, { copies: { w: copy(1, 0) } });
    const twice = Uint32Array.of(0, 0);
    for (const offset of [10, 11]) {
      const replaced = { w: copy(2, offset) };
      optimizer.rows().remap(twice, { copies: replaced });
      expect([...(await w.read())]).toEqual([1, 2, 3, 1, 2, 3]);
      expect([...(await replaced.w.read())]).toEqual([1, 2, 3, 1, 2, 3]);
    }
  });

  test("a remap of an optimizer: one submit, two dispatches per buffer, and nothing is read back", async () => {
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const shapes = { means: [100, 3], scales: [100, 3], opacities: [100] };
    const parameters = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape)]),
    );
    const optimizer = createOptimizer(adam(), parameters);
    const step = (): void =>
      optimizer.step(
        Object.fromEntries(
          Object.entries(parameters).map(([name, { size }]) => [name, new Float32Array(size)]),
        ),
      );
    step();
    const rows = optimizer.rows();
    const before = { ...counts };
    rows.remap(Uint32Array.from({ length: 150 }, (_, i) => i % 100));
    const since = (key: string): number => (counts[key] ?? 0) - (before[key] ?? 0);
    expect(since("submit")).toBe(1);
    expect(since("mapAsync")).toBe(0);
    // The indices, and the tables of the dispatches that gather and of those that write back.
    expect(since("writeBuffer")).toBe(3);
    // Two per buffer: of the parameters, m and v.
    expect(since("createBindGroup")).toBe(6);
    step();
    await backend.ready();
    expect(parameters.means.shape).toEqual([150, 3]);
  });

  test("a device that reports late that it has no memory for a remap: a typed error", async () => {
    const real = await sharedDevice();
    let refuse = false;
    const device = new Proxy(real, {
      get(target, key) {
        if (key === "popErrorScope" && refuse) {
          refuse = false;
          return () => {
            void target.popErrorScope();
            return Promise.resolve({ message: "simulated" });
          };
        }
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const backend = webgpu({ device });
    const w = backend.tensor([4], [1, 2, 3, 4]);
    await backend.ready();
    refuse = true;
    const moves: RowMove[] = [{ tensor: w, initial: 0, reset: "added" }];
    backend.remap(moves, { count: 2, indices: new Uint32Array(2) });
    await expect(backend.ready()).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
    await expect(w.read()).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
  });
});
