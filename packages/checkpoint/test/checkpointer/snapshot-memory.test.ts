import {
  adam,
  createOptimizer,
  type Backend,
  type OptimizerState,
  type StateOptions,
} from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { wasm } from "@gradstep/wasm";
import { describe, expect, test } from "vitest";
import {
  checkpointer,
  decodeCheckpoint,
  memoryStore,
  type CheckpointStore,
} from "../../src/index.js";
import { makeRun, step, valuesOf } from "./run.js";

/** A run that notes which states it was given to be overwritten, and which it gave. */
function makeNotedRun(backend: Backend) {
  const { optimizer, parameters } = makeRun(backend);
  const reused: (OptimizerState | undefined)[] = [];
  const given: OptimizerState[] = [];
  const restored: OptimizerState[] = [];
  const noted = {
    get iterations() {
      return optimizer.iterations;
    },
    async state(options?: StateOptions) {
      reused.push(options?.reuse);
      const state = await optimizer.state(options);
      given.push(state);
      return state;
    },
    restore(state: OptimizerState) {
      restored.push(state);
      return optimizer.restore(state);
    },
  };
  return { optimizer, noted, parameters, reused, given, restored };
}

describe.each([
  ["cpu-js", () => cpuJs()],
  ["wasm", () => wasm()],
] as const)("on %s", (_, make) => {
  test("saves that share memory hold their own moments, also those that wait for each other", async () => {
    const { optimizer, parameters } = makeRun(make());
    const store = memoryStore();
    const saves = checkpointer(optimizer, parameters, { store, keep: 9 });
    const moments: unknown[] = [];
    const save = async () => {
      const values = valuesOf(parameters);
      const state = optimizer.state();
      const saved = saves.save();
      moments.push({ values: await values, state: await state });
      return saved;
    };
    const ids: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      step(optimizer, 1);
      const first = save();
      step(optimizer, 1);
      const second = save();
      step(optimizer, 1);
      ids.push(await first, await second);
      await saves.resume();
    }
    const stored = ids.map(async (id) => {
      const { parameters: values, optimizer: state } = await decodeCheckpoint(await store.open(id));
      return { values: Object.values(values).map((one) => [...one.values]), state };
    });
    expect(await Promise.all(stored)).toStrictEqual(moments);
  });

  test("a save copies into the memory of the one before it", async () => {
    const { noted, parameters, reused, given } = makeNotedRun(make());
    const saves = checkpointer(noted, parameters, { store: memoryStore() });
    await saves.save();
    await saves.save();
    expect(reused).toEqual([undefined, given[0]]);
    expect(given[1].slots["bias"]["m"]).toBe(given[0].slots["bias"]["m"]);
    await saves.close();
    await saves.save();
    expect(reused[2]).toBeUndefined();
  });
});

test("a resume reads into the memory of the save before it, and a save copies into that of the resume", async () => {
  const { optimizer, noted, parameters, reused, given, restored } = makeNotedRun(cpuJs());
  const saves = checkpointer(noted, parameters, { store: memoryStore() });
  step(optimizer, 1);
  await saves.save();
  const before = { values: await valuesOf(parameters), state: await optimizer.state() };
  step(optimizer, 5);
  await saves.resume();
  expect(restored[0].slots["bias"]["m"]).toBe(given[0].slots["bias"]["m"]);
  expect(await valuesOf(parameters)).toStrictEqual(before.values);
  expect(await optimizer.state()).toStrictEqual(before.state);
  await saves.save();
  expect(reused[1]).toBe(restored[0]);
});

test("a damaged checkpoint, read into memory that is there, leaves the run as it is", async () => {
  const inner = memoryStore();
  const damaged = new Set<string>();
  const store: CheckpointStore = {
    ...inner,
    async open(id) {
      const blob = await inner.open(id);
      if (!damaged.has(id)) return blob;
      const bytes = new Uint8Array(await new Response(blob.stream()).arrayBuffer());
      bytes[bytes.length - 40] ^= 1;
      return new Blob([bytes]);
    },
  };
  const { optimizer, parameters } = makeRun(cpuJs());
  const saves = checkpointer(optimizer, parameters, { store });
  step(optimizer, 1);
  const older = { values: await valuesOf(parameters), state: await optimizer.state() };
  const ids = [await saves.save()];
  step(optimizer, 2);
  ids.push(await saves.save());
  step(optimizer, 3);
  const now = { values: await valuesOf(parameters), state: await optimizer.state() };
  for (const id of ids) damaged.add(id);
  await expect(saves.resume()).rejects.toMatchObject({ code: "INVALID_FILE" });
  expect(await valuesOf(parameters)).toStrictEqual(now.values);
  expect(await optimizer.state()).toStrictEqual(now.state);
  damaged.delete(ids[0]);
  expect(await saves.resume()).toMatchObject({ id: ids[0], damaged: [{ id: ids[1] }] });
  expect(await valuesOf(parameters)).toStrictEqual(older.values);
  expect(await optimizer.state()).toStrictEqual(older.state);
});

test("parameters whose paths are the same text keep their own values", async () => {
  const backend = cpuJs();
  const parameters = { a: backend.tensor([2], [1, 2]), "a/m": backend.tensor([2], [3, 4]) };
  const optimizer = createOptimizer(adam(), parameters);
  optimizer.step({ a: Float32Array.of(1, 2), "a/m": Float32Array.of(5, 6) });
  const saves = checkpointer(optimizer, parameters, { store: memoryStore() });
  await saves.save();
  const before = await optimizer.state();
  optimizer.step({ a: Float32Array.of(9, 9), "a/m": Float32Array.of(9, 9) });
  await saves.resume();
  await saves.resume();
  expect(await optimizer.state()).toStrictEqual(before);
});

test("a save after one that failed uses new memory, because the store may still read the old one", async () => {
  const inner = memoryStore();
  let fails = false;
  const store: CheckpointStore = {
    ...inner,
    write: (chunks, options) =>
      fails ? Promise.reject(new Error("disk")) : inner.write(chunks, options),
  };
  const { noted, parameters, reused, given } = makeNotedRun(cpuJs());
  const saves = checkpointer(noted, parameters, { store });
  await saves.save();
  fails = true;
  await expect(saves.save()).rejects.toThrow("disk");
  fails = false;
  await saves.save();
  expect(reused).toEqual([undefined, given[0], undefined]);
});
