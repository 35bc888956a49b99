import { adam, createOptimizer, type Backend } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { wasm } from "@gradstep/wasm";
import { nodeGpu, webgpu } from "@gradstep/webgpu/node";
import { afterAll, describe, expect, test } from "vitest";
import { checkpointer, memoryStore, newestCheckpoint } from "../../src/index.js";
import { makeRun, step, valuesOf } from "./run.js";

const missing = await nodeGpu().then(
  () => undefined,
  (error: unknown) => String(error),
);

if (missing !== undefined) console.warn(`Skipped on webgpu: ${missing}`);

const backends: readonly [string, () => Backend | Promise<Backend>][] = [
  ["cpu-js", () => cpuJs()],
  ["wasm", () => wasm()],
  ...(missing === undefined
    ? [["webgpu", () => webgpu()] as [string, () => Promise<Backend>]]
    : []),
];

describe.each(backends)("on %s", (_, make) => {
  const made: Backend[] = [];
  const backend = async (): Promise<Backend> => {
    const one = await make();
    made.push(one);
    return one;
  };
  afterAll(() => {
    for (const one of made) one.dispose?.();
  });

  test("N steps, a save, a resume elsewhere and N steps have the bits of 2N steps", async () => {
    const store = memoryStore();
    const first = makeRun(await backend());
    step(first.optimizer, 7);
    const saving = checkpointer(first.optimizer, first.parameters, { store });
    const id = await saving.save();
    step(first.optimizer, 9);
    const second = makeRun(await backend());
    step(second.optimizer, 3);
    const resuming = checkpointer(second.optimizer, second.parameters, { store });
    await saving.close();
    expect(await resuming.resume()).toEqual({ id, iterations: 7, damaged: [], misfits: [] });
    step(second.optimizer, 9);
    expect(await valuesOf(second.parameters)).toStrictEqual(await valuesOf(first.parameters));
    expect(await second.optimizer.state()).toStrictEqual(await first.optimizer.state());
  });

  test("a save holds the moment at which it was called, though training goes on", async () => {
    const store = memoryStore();
    const { optimizer, parameters } = makeRun(await backend());
    step(optimizer, 4);
    const values = await valuesOf(parameters);
    const state = await optimizer.state();
    const saving = checkpointer(optimizer, parameters, { store }).save();
    step(optimizer, 4);
    await saving;
    const { checkpoint } = (await newestCheckpoint(store))!;
    expect(Object.values(checkpoint.parameters).map((one) => [...one.values])).toStrictEqual(
      values,
    );
    expect(checkpoint.optimizer).toStrictEqual(state);
  });
});

test("a save on several threads holds the moment at which it was called", async () => {
  const store = memoryStore();
  const backend = wasm({ threads: 2 });
  await backend.ready();
  const size = 300_000;
  const w = backend.tensor([size]);
  const optimizer = createOptimizer(adam({ learningRate: 1 }), { w });
  const gradient = new Float32Array(size).fill(1);
  for (let i = 0; i < 3; i += 1) optimizer.step({ w: gradient });
  const saving = checkpointer(optimizer, { w }, { store }).save();
  for (let i = 0; i < 20; i += 1) optimizer.step({ w: gradient });
  await saving;
  const { checkpoint } = (await newestCheckpoint(store))!;
  // Adam's first steps of a constant gradient are the rate each.
  const { values } = checkpoint.parameters.w;
  expect(values.filter((value) => Math.abs(value + 3) > 1e-4)).toHaveLength(0);
  expect(checkpoint.optimizer.iterations).toBe(3);
  backend.dispose();
});

test.each(["bf16", "f16"] as const)("slots in %s halve the file and stay close", async (slots) => {
  const store = memoryStore();
  const backend = cpuJs();
  const w = backend.tensor([1000], new Float32Array(1000).fill(1));
  const optimizer = createOptimizer(adam(), { w });
  for (let i = 0; i < 3; i += 1)
    optimizer.step({ w: Float32Array.from({ length: 1000 }, (_, k) => 1 + k / 100) });
  await checkpointer(optimizer, { w }, { store }).save();
  await checkpointer(optimizer, { w }, { store, slots }).save();
  const sizes = await Promise.all(
    (await store.list()).map(async (id) => (await store.open(id)).size),
  );
  expect(sizes[0] - sizes[1]).toBeGreaterThan(3900);
  const { m } = (await optimizer.state()).slots.w;
  const saved = (await newestCheckpoint(store))!.checkpoint.optimizer.slots.w.m;
  expect(saved).toBeInstanceOf(Float32Array);
  const worst = Math.max(...[...m].map((value, i) => Math.abs(saved[i] / value - 1)));
  expect(worst).toBeLessThanOrEqual(slots === "bf16" ? 2 ** -8 : 2 ** -11);
  expect(worst).toBeGreaterThan(0);
});
