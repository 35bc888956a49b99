import { cpuJs } from "@gradstep/cpu-js";
import { expect, test } from "vitest";
import { checkpointer, memoryStore, type CheckpointStore } from "../../src/index.js";
import { makeRun, step } from "./run.js";

/** Takes steps, and returns after which of them `afterStep` saved. */
async function savedSteps(
  { optimizer }: Pick<ReturnType<typeof makeRun>, "optimizer">,
  saves: ReturnType<typeof checkpointer>,
  store: CheckpointStore,
  count: number,
): Promise<readonly number[]> {
  const saved: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const before = await store.list();
    step(optimizer, 1);
    saves.afterStep();
    await saves.close();
    if ((await store.list()).length > before.length) saved.push(optimizer.iterations);
  }
  return saved;
}

test("saves are due at the multiples of every, whenever another one was made", async () => {
  const store = memoryStore();
  const run = makeRun(cpuJs());
  const saves = checkpointer(run.optimizer, run.parameters, { store, every: 5, keep: 9 });
  step(run.optimizer, 3);
  await saves.save();
  expect(await savedSteps(run, saves, store, 8)).toEqual([5, 10]);
});

test("after a resume, the next multiple of every is due", async () => {
  const store = memoryStore();
  const before = makeRun(cpuJs());
  step(before.optimizer, 7);
  const older = checkpointer(before.optimizer, before.parameters, { store });
  await older.save();
  await older.close();
  const run = makeRun(cpuJs());
  const saves = checkpointer(run.optimizer, run.parameters, { store, every: 5, keep: 9 });
  await saves.resume();
  expect(await savedSteps(run, saves, store, 8)).toEqual([10, 15]);
});

test("no save is due while a resume goes on", async () => {
  const store = memoryStore();
  const before = makeRun(cpuJs());
  step(before.optimizer, 7);
  const others = { part: { state: () => 1, restore: async () => {} } };
  const older = checkpointer(before.optimizer, before.parameters, { store, others });
  const ids = [await older.save()];
  await older.close();
  const run = makeRun(cpuJs());
  const restore = async () => {
    expect(run.optimizer.iterations).toBe(7);
    saves.afterStep();
  };
  const part = { state: () => 1, restore };
  const saves = checkpointer(run.optimizer, run.parameters, { store, others: { part }, every: 2 });
  await saves.resume();
  await saves.close();
  expect(await store.list()).toEqual(ids);
});

test("save ends when those that are too many have been removed", async () => {
  const inner = memoryStore();
  const store: CheckpointStore = {
    ...inner,
    async remove(id) {
      await new Promise((resolve) => setImmediate(resolve));
      await inner.remove(id);
    },
  };
  const { optimizer, parameters } = makeRun(cpuJs());
  const saves = checkpointer(optimizer, parameters, { store, keep: 1 });
  await saves.save();
  const last = await saves.save();
  expect(await store.list()).toEqual([last]);
  await saves.close();
});
