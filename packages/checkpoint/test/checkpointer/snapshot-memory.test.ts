import type { Backend, OptimizerState, StateOptions } from "@gradstep/core";
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
    restore: (state: OptimizerState) => optimizer.restore(state),
  };
  return { optimizer, noted, parameters, reused, given };
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
