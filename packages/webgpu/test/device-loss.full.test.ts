import {
  adam,
  createOptimizer,
  identity,
  sgd,
  type OptimizerState,
  type Values,
} from "@gradstep/core";
import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { nodeGpu } from "@gradstep/webgpu/node";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { describe, newBackend, newDevice, sharedDevice } from "./gpu.js";
import { Random } from "./random.js";

const steps = 8;
const size = 37;

function gradientOf(step: number): Float32Array {
  return new Random(step + 100).values(size);
}

describe("a lost device", () => {
  const losses = cases(200, 12);

  test(`${losses} losses at random steps: the final bits are those of an uninterrupted run (seed ${seed})`, async () => {
    const random = new Random(seed);
    const backend = await newBackend();
    const whole = backend.tensor([size], new Random(1).values(size));
    const straight = createOptimizer(sgd({ learningRate: 0.01, momentum: 0.9 }), { w: whole });
    for (let i = 0; i < steps; i += 1) straight.step({ w: gradientOf(i) });
    const expected = { w: await whole.read(), state: await straight.state() };

    let lost = 0;
    const codes = new Set<unknown>();
    while (lost < losses) {
      let saved: { w: Values; state: OptimizerState | undefined } = {
        w: new Random(1).values(size),
        state: undefined,
      };
      let current: WebGpu | undefined;
      let finished = false;
      while (!finished) {
        const device = await newDevice();
        current = webgpu({ device });
        const w = current.tensor([size], saved.w);
        const optimizer = createOptimizer(sgd({ learningRate: 0.01, momentum: 0.9 }), { w });
        if (saved.state !== undefined) optimizer.restore(saved.state);
        const end = lost < losses ? optimizer.iterations + 1 + random.below(steps) : steps;
        try {
          while (optimizer.iterations < steps) {
            if (optimizer.iterations === end) {
              device.destroy();
              lost += 1;
              // The promise of the loss resolves in the next turn of the event loop.
              if (random.below(2) === 0) await device.lost;
            }
            optimizer.step({ w: gradientOf(optimizer.iterations) });
            if (random.below(3) === 0)
              saved = { w: await w.read(), state: await optimizer.state() };
          }
          saved = { w: await w.read(), state: await optimizer.state() };
          finished = true;
        } catch (error) {
          codes.add((error as { code: unknown }).code);
        }
      }
      expect(saved).toEqual(expected);
    }
    expect(lost).toBeGreaterThanOrEqual(losses);
    expect([...codes]).toEqual(["DEVICE_LOST"]);
  });

  test("after masks and remaps: resuming from the last state gives the same bits", async () => {
    const indices = new Random(9);
    const sources = Array.from({ length: steps }, (_, i) =>
      Uint32Array.from({ length: size + i + 1 }, () => indices.below(size + i)),
    );
    const spec = sgd({ learningRate: 0.01, momentum: 0.9 });
    const codes = new Set<unknown>();
    const run = async (losesAt: number): Promise<unknown> => {
      let saved: { w: Values; state: OptimizerState | undefined } = {
        w: new Random(1).values(size),
        state: undefined,
      };
      for (let i = 0; i < steps;) {
        const device = await newDevice();
        const backend = webgpu({ device });
        const w = backend.tensor([saved.w.length], saved.w);
        const optimizer = createOptimizer(spec, { w });
        if (saved.state !== undefined) optimizer.restore(saved.state);
        try {
          for (; i < steps; i += 1) {
            if (i === losesAt) {
              losesAt = -1;
              device.destroy();
              await device.lost;
            }
            const rows = Uint32Array.from({ length: size + i }, (_, row) => row % 3);
            optimizer.step(
              { w: new Random(i).values(size + i) },
              { rows, unselectedRows: "decay" },
            );
            optimizer.rows().remap(sources[i]);
            saved = { w: await w.read(), state: await optimizer.state() };
          }
        } catch (error) {
          codes.add((error as { code: unknown }).code);
        }
      }
      return saved;
    };
    const expected = await run(-1);
    for (let at = seed % 2; at < steps; at += cases(1, 4)) expect(await run(at)).toEqual(expected);
    expect([...codes]).toEqual(["DEVICE_LOST"]);
  });

  test("every call reports it", async () => {
    const device = await newDevice();
    const backend = webgpu({ device });
    const w = backend.tensor([2]);
    const buffer = device.createBuffer({ size: 8, usage: 0x80 });
    const mirror = backend.wrap(buffer, { shape: [2], dtype: "f16" });
    const optimizer = createOptimizer(adam(), { w }, { copies: { w: mirror } });
    const rows = optimizer.rows();
    device.destroy();
    await device.lost;
    const lost = expect.objectContaining({ code: "DEVICE_LOST" }) as Error;
    expect(() => optimizer.step({ w: new Float32Array(2) })).toThrow(lost);
    expect(() => optimizer.step({ w: new Float32Array(2) }, { rows: new Uint32Array(2) })).toThrow(
      lost,
    );
    expect(() => rows.remap(new Uint32Array(3))).toThrow(lost);
    expect(rows.count).toBe(2);
    expect(() => backend.fillCopy(w, { target: mirror, activation: identity })).toThrow(lost);
    expect(() => backend.wrap(buffer)).toThrow(lost);
    expect(() => backend.tensor([1])).toThrow(lost);
    expect(() => w.write([1, 2])).toThrow(lost);
    expect(() => createOptimizer(adam(), { w })).toThrow(lost);
    await expect(w.read()).rejects.toThrow(lost);
    await expect(optimizer.state()).rejects.toThrow(lost);
    await expect(backend.ready()).rejects.toThrow(lost);
    expect(optimizer.iterations).toBe(0);
    optimizer.dispose();
  });

  test("a state that cannot be read rejects once, however many slots there are", async () => {
    const backend = webgpu({ device: await newDevice() });
    const parameters = { a: backend.tensor([2]), b: backend.tensor([2]), c: backend.tensor([2]) };
    const optimizer = createOptimizer(adam(), parameters);
    const unhandled: unknown[] = [];
    const listener = (error: unknown): number => unhandled.push(error);
    process.on("unhandledRejection", listener);
    try {
      backend.device.destroy();
      await backend.device.lost;
      await expect(optimizer.state()).rejects.toMatchObject({ code: "DEVICE_LOST" });
      await new Promise((resolve) => setTimeout(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", listener);
    }
  });

  test("a device that is lost from the start: no backend is made", async () => {
    const adapter = (await (await nodeGpu()).gpu.requestAdapter())!;
    const requestDevice = async (): Promise<GPUDevice> => {
      const device = await adapter.requestDevice();
      device.destroy();
      await device.lost;
      return device;
    };
    const requestAdapter = (): Promise<unknown> =>
      Promise.resolve({ limits: adapter.limits, requestDevice });
    const made = webgpu({ gpu: { requestAdapter } as unknown as GPU });
    await expect(made).rejects.toMatchObject({ code: "DEVICE_LOST" });
  });

  test("a device that reports late that it has no memory: a typed error, and no step is counted", async () => {
    const real = await sharedDevice();
    let answer: (error: GPUError | null) => void = () => {};
    let refuse = false;
    const device = new Proxy(real, {
      get(target, key) {
        if (key === "popErrorScope" && refuse) {
          refuse = false;
          return () => {
            void target.popErrorScope();
            return new Promise<GPUError | null>((resolve) => {
              answer = resolve;
            });
          };
        }
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const backend = webgpu({ device });
    const a = backend.tensor([2], [1, 2]);
    const optimizer = createOptimizer(adam(), { a });
    await backend.ready();
    refuse = true;
    const big = backend.tensor([2 ** 20]);
    answer({ message: "simulated" });
    await expect(backend.ready()).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
    const failed = expect.objectContaining({ code: "OUT_OF_MEMORY" }) as Error;
    expect(() => big.write(new Float32Array(2 ** 20))).toThrow(failed);
    await expect(big.read()).rejects.toThrow(failed);
    const other = createOptimizer(adam(), { big });
    expect(() => other.step({ big: new Float32Array(2 ** 20) })).toThrow(failed);
    expect(other.iterations).toBe(0);
    // Earlier tensors still work.
    optimizer.step({ a: new Float32Array(2) });
    await backend.ready();
    expect(Array.from(await a.read())).toEqual([1, 2]);
  });
});
