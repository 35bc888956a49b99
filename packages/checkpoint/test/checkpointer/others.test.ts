import { createOptimizer, earlyStopping, reduceOnPlateau, sgd } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { expect, test } from "vitest";
import { slowTest } from "../../../../testing/slow-test.js";
import { checkpointer, memoryStore, newestCheckpoint } from "../../src/index.js";
import { makeRun, step, valuesOf } from "./run.js";

test("monitors, numbers that are not finite, and what else belongs to a run, come back", async () => {
  const store = memoryStore();
  const makeAll = () => {
    const run = makeRun(cpuJs());
    const { w } = { w: cpuJs().tensor([1], [1]) };
    const plain = createOptimizer(sgd({ learningRate: 1 }), { w });
    const stopping = earlyStopping({ patience: 3, parameters: { w } });
    const plateau = reduceOnPlateau(plain, { patience: 1 });
    const epoch = {
      number: 0,
      state: () => ({ number: epoch.number, best: Infinity, random: Uint32Array.of(7, 8) }),
      restore: async (saved: { number: number; best: number; random: Uint32Array }) => {
        await Promise.resolve();
        expect(saved).toStrictEqual({ number: 3, best: Infinity, random: Uint32Array.of(7, 8) });
        epoch.number = saved.number;
      },
    };
    return { ...run, stopping, plateau, epoch };
  };
  const first = makeAll();
  first.stopping.update(1);
  first.stopping.update(2);
  first.plateau.update(2);
  first.epoch.number = 3;
  const { stopping, plateau, epoch } = first;
  const saves = checkpointer(first.optimizer, first.parameters, {
    store,
    others: { stopping, plateau, epoch },
  });
  await saves.save();
  const second = makeAll();
  await checkpointer(second.optimizer, second.parameters, {
    store,
    others: { stopping: second.stopping, plateau: second.plateau, epoch: second.epoch },
  }).resume();
  expect(second.epoch.number).toBe(3);
  expect(await second.stopping.state()).toStrictEqual(await first.stopping.state());
  expect(second.plateau.state()).toStrictEqual(first.plateau.state());
});

test("what another part has no state for is an error before anything changes", async () => {
  const store = memoryStore();
  const { optimizer, parameters } = makeRun(cpuJs());
  await checkpointer(optimizer, parameters, { store }).save();
  step(optimizer, 2);
  const one = { state: () => 1, restore: () => undefined };
  const saves = checkpointer(optimizer, parameters, { store, others: { epoch: one } });
  await expect(saves.resume()).rejects.toMatchObject({
    code: "STATE_MISMATCH",
    message: expect.stringContaining("epoch"),
  });
  expect(optimizer.iterations).toBe(2);
});

test("a state that is undefined is refused by the save, not by the resume", async () => {
  const { optimizer, parameters } = makeRun(cpuJs());
  const store = memoryStore();
  const epoch = { state: () => undefined, restore: () => undefined };
  const saves = checkpointer(optimizer, parameters, { store, others: { epoch } });
  await expect(saves.save()).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("others.epoch"),
  });
  expect(await store.list()).toEqual([]);
});

/** Counts epochs. Restores after a while, and throws then if told to. */
function slowEpoch() {
  const epoch = {
    number: 0,
    fails: false,
    atRestore: async (): Promise<void> => undefined,
    state: () => ({ number: epoch.number }),
    restore: async (saved: { number: number }) => {
      epoch.number = saved.number;
      await epoch.atRestore();
      if (epoch.fails && saved.number === 1) throw new Error("epoch");
    },
  };
  return epoch;
}

test("a part that throws leaves the run as it was, the parts before it included", async () => {
  const store = memoryStore();
  const { optimizer, parameters } = makeRun(cpuJs());
  const others = { first: slowEpoch(), second: slowEpoch() };
  const saves = checkpointer(optimizer, parameters, { store, others });
  others.first.number = 1;
  others.second.number = 1;
  await saves.save();
  step(optimizer, 3);
  others.first.number = 2;
  others.second.number = 3;
  const before = [await optimizer.state(), await valuesOf(parameters)];
  others.second.fails = true;
  await expect(saves.resume()).rejects.toThrow("epoch");
  expect([others.first.number, others.second.number]).toEqual([2, 3]);
  expect([await optimizer.state(), await valuesOf(parameters)]).toStrictEqual(before);
  others.second.fails = false;
  await saves.resume();
  expect([others.first.number, others.second.number, optimizer.iterations]).toEqual([1, 1, 0]);
});

test("a part that cannot be put back either is an error with both reasons", async () => {
  const store = memoryStore();
  const { optimizer, parameters } = makeRun(cpuJs());
  const broken = { state: () => 1, restore: () => Promise.reject(new Error("broken")) };
  const saves = checkpointer(optimizer, parameters, { store, others: { broken } });
  await saves.save();
  await expect(saves.resume()).rejects.toMatchObject({
    errors: [{ message: "broken" }, { message: "broken" }],
  });
});

test("saves during an asynchronous restore hold what was resumed, not half of it", async () => {
  const store = memoryStore();
  const { optimizer, parameters } = makeRun(cpuJs());
  const first = slowEpoch();
  const second = slowEpoch();
  const others = { first, second };
  const saves = checkpointer(optimizer, parameters, { store, others, every: 2 });
  step(optimizer, 5);
  first.number = 1;
  second.number = 1;
  const id = await saves.save();
  const { checkpoint: expected } = (await newestCheckpoint(store))!;
  step(optimizer, 2);
  first.number = 2;
  second.number = 2;
  let saving: Promise<string> | undefined;
  first.atRestore = async () => {
    saves.afterStep();
    saving = saves.save();
    await new Promise((resolve) => setImmediate(resolve));
  };
  await saves.resume();
  const later = await saving!;
  // afterStep has saved nothing.
  expect(await store.list()).toEqual([id, later]);
  const { checkpoint } = (await newestCheckpoint(store))!;
  expect(checkpoint).toStrictEqual(expected);
  await saves.close();
});

slowTest("more plain numbers than a header holds are an error that says what to do", async () => {
  const { optimizer, parameters } = makeRun(cpuJs());
  const numbers = Array.from({ length: 2_000_000 }, (_, i) => i + 0.5);
  const history = { state: () => numbers, restore: () => undefined };
  const store = memoryStore();
  const saves = checkpointer(optimizer, parameters, { store, others: { history } });
  await expect(saves.save()).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("typed arrays, such as a Float64Array"),
  });
  const typed = { ...history, state: () => Float64Array.from(numbers) };
  await checkpointer(optimizer, parameters, { store, others: { history: typed } }).save();
});
