import { cpuJs } from "@gradstep/cpu-js";
import { expect, test } from "vitest";
import {
  checkpointer,
  memoryStore,
  newestCheckpoint,
  type CheckpointStore,
} from "../../src/index.js";
import { makeRun, step } from "./run.js";

test("afterStep without every is an error, since it would never save", async () => {
  const { optimizer, parameters } = makeRun(cpuJs());
  const saves = checkpointer(optimizer, parameters, { store: memoryStore() });
  step(optimizer, 1);
  expect(() => saves.afterStep()).toThrow(
    expect.objectContaining({
      code: "INVALID_HYPERPARAMETER",
      message: expect.stringContaining("call save()"),
    }),
  );
  await saves.save();
  await saves.close();
});

test("afterStep saves every few steps, and the newest few stay", async () => {
  const inner = memoryStore();
  let writes = 0;
  const store: CheckpointStore = {
    ...inner,
    write(chunks, options) {
      writes += 1;
      return inner.write(chunks, options);
    },
  };
  const { optimizer, parameters } = makeRun(cpuJs());
  const saves = checkpointer(optimizer, parameters, { store, every: 5, keep: 2 });
  const steps: number[] = [];
  for (let i = 0; i < 23; i += 1) {
    step(optimizer, 1);
    const before = writes;
    saves.afterStep();
    // Lets a save end before the next step.
    await saves.close();
    if (writes > before) steps.push(optimizer.iterations);
  }
  expect(steps).toEqual([5, 10, 15, 20]);
  const ids = await store.list();
  expect(ids).toHaveLength(2);
  expect((await newestCheckpoint(store))!.checkpoint.optimizer.iterations).toBe(20);
});

test("a run that does not resume removes no checkpoint of the run before it", async () => {
  const store = memoryStore();
  const before = makeRun(cpuJs());
  const older = checkpointer(before.optimizer, before.parameters, { store, keep: 1 });
  await older.save();
  await older.save();
  const kept = await store.list();
  expect(kept).toHaveLength(1);
  const { optimizer, parameters } = makeRun(cpuJs());
  const saves = checkpointer(optimizer, parameters, { store, keep: 1 });
  await saves.save();
  await saves.save();
  expect(await store.list()).toEqual([...kept, expect.any(String)]);
  await saves.resume();
  await saves.save();
  expect(await store.list()).toHaveLength(1);
});

test("a save that is due while another one is written starts afterwards: one copy of the run at a time", async () => {
  const inner = memoryStore();
  let isOpen = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    isOpen = resolve;
  });
  let writes = 0;
  const store: CheckpointStore = {
    ...inner,
    async write(chunks, options) {
      writes += 1;
      if (writes === 1) await opened;
      return inner.write(chunks, options);
    },
  };
  const { optimizer, parameters } = makeRun(cpuJs());
  const saves = checkpointer(optimizer, parameters, { store, every: 1 });
  for (let i = 0; i < 5; i += 1) {
    step(optimizer, 1);
    saves.afterStep();
  }
  await expect.poll(() => writes).toBe(1);
  isOpen();
  await saves.close();
  expect(writes).toBe(1);
  saves.afterStep();
  await saves.close();
  expect(writes).toBe(2);
  expect((await newestCheckpoint(store))!.checkpoint.optimizer.iterations).toBe(5);
});

test("a save that fails is told to onError, or else by the next call", async () => {
  let writes = 0;
  const failing: CheckpointStore = {
    ...memoryStore(),
    write() {
      writes += 1;
      return Promise.reject(new Error("disk"));
    },
  };
  const { optimizer, parameters } = makeRun(cpuJs());
  const errors: unknown[] = [];
  const told = checkpointer(optimizer, parameters, {
    store: failing,
    every: 1,
    onError: (error) => errors.push(error),
  });
  step(optimizer, 1);
  told.afterStep();
  await told.close();
  expect(errors).toMatchObject([{ message: "disk" }]);
  const throwing = checkpointer(optimizer, parameters, {
    store: failing,
    every: 1,
    onError: () => {
      throw new Error("in onError");
    },
  });
  step(optimizer, 1);
  throwing.afterStep();
  await expect(throwing.close()).rejects.toThrow("in onError");
  writes = 0;
  const untold = checkpointer(optimizer, parameters, { store: failing, every: 1 });
  step(optimizer, 1);
  untold.afterStep();
  await expect(untold.close()).rejects.toThrow("disk");
  // Told once.
  await untold.close();
  step(optimizer, 1);
  untold.afterStep();
  await expect.poll(() => writes).toBe(2);
  await expect
    .poll(() => {
      try {
        untold.afterStep();
        return "";
      } catch (error) {
        return String(error);
      }
    })
    .toContain("disk");
  await expect(untold.save()).rejects.toThrow("disk");
  await untold.close();
});
