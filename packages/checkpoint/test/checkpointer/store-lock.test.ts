import { cpuJs } from "@gradstep/cpu-js";
import { expect, test } from "vitest";
import { checkpointer, memoryStore, type CheckpointStore } from "../../src/index.js";
import { makeRun } from "./run.js";

test("a store has one checkpointer at a time", async () => {
  let isLocked = false;
  const store: CheckpointStore = {
    ...memoryStore(),
    async lock() {
      if (isLocked) throw Object.assign(new Error("locked"), { code: "STORE_LOCKED" });
      isLocked = true;
      return {
        release: () => {
          isLocked = false;
        },
      };
    },
  };
  const { optimizer, parameters } = makeRun(cpuJs());
  const first = checkpointer(optimizer, parameters, { store });
  const second = checkpointer(optimizer, parameters, { store });
  await first.save();
  await expect(second.resume()).rejects.toMatchObject({ code: "STORE_LOCKED" });
  await expect(second.save()).rejects.toMatchObject({ code: "STORE_LOCKED" });
  await first.close();
  await second.save();
  await second.close();
  expect(isLocked).toBe(false);
});

test("close waits for a save that is started while it waits", async () => {
  let writes = 0;
  let isLocked = false;
  const inner = memoryStore();
  const store: CheckpointStore = {
    ...inner,
    async write(...given) {
      const id = await inner.write(...given);
      expect(isLocked).toBe(true);
      writes += 1;
      return id;
    },
    async lock() {
      isLocked = true;
      return {
        release: () => {
          isLocked = false;
        },
      };
    },
  };
  const { optimizer, parameters } = makeRun(cpuJs());
  const saves = checkpointer(optimizer, parameters, { store });
  const first = saves.save();
  const closed = saves.close();
  const second = saves.save();
  await closed;
  expect([writes, isLocked]).toEqual([2, false]);
  await Promise.all([first, second]);
});

test("what waits for a save that hangs can be aborted; the next save still comes after that one", async () => {
  const { optimizer, parameters } = makeRun(cpuJs());
  const inner = memoryStore();
  let goOn = (): void => {};
  const hanging = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let writing = 0;
  let most = 0;
  const store: CheckpointStore = {
    ...inner,
    async write(chunks, options) {
      most = Math.max(most, (writing += 1));
      await hanging;
      const id = await inner.write(chunks, options);
      writing -= 1;
      return id;
    },
  };
  const saves = checkpointer(optimizer, parameters, { store });
  const first = saves.save();
  const controller = new AbortController();
  const { signal } = controller;
  const waiting = [saves.save({ signal }), saves.resume({ signal })];
  const reason = new Error("stopped");
  controller.abort(reason);
  for (const one of await Promise.allSettled(waiting))
    expect(one).toEqual({ status: "rejected", reason });
  const last = saves.save();
  await new Promise((resolve) => setImmediate(resolve));
  goOn();
  expect(await store.list()).toEqual([]);
  const ids = [await first, await last];
  expect(await store.list()).toEqual(ids);
  expect(most).toBe(1);
});
