import {
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  cosineDecay,
  earlyStopping,
  GradstepError,
  reduceOnPlateau,
  sgd,
  type Backend,
} from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { wasm } from "@gradstep/wasm";
import { nodeGpu, webgpu } from "@gradstep/webgpu/node";
import { afterAll, describe, expect, test } from "vitest";
import {
  checkpointer,
  encodeCheckpoint,
  memoryStore,
  newestCheckpoint,
  type CheckpointStore,
} from "../src/index.js";

const spec = () =>
  chain(clipByGlobalNorm(1), adamw({ learningRate: cosineDecay(0.1, 40), amsgrad: true }));

function makeRun(backend: Backend) {
  const parameters = {
    "dense/kernel": backend.tensor([3, 2], [1, -2, 3, 0.5, -0.25, 8]),
    bias: backend.tensor([2], [0.5, -0]),
  };
  const optimizer = createOptimizer(spec(), parameters);
  return { parameters, optimizer };
}

function step(optimizer: ReturnType<typeof makeRun>["optimizer"], count: number): void {
  for (let i = 0; i < count; i += 1) {
    const t = optimizer.iterations;
    optimizer.step({
      "dense/kernel": Float32Array.from({ length: 6 }, (_, k) => Math.sin(t * 7 + k)),
      bias: Float32Array.of(Math.cos(t), -1),
    });
  }
}

async function valuesOf(parameters: ReturnType<typeof makeRun>["parameters"]) {
  const values = Object.values(parameters).map((one) => one.read());
  return (await Promise.all(values)).map((one) => [...one]);
}

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

test("damaged checkpoints are passed over and named; if all are damaged, that is an error", async () => {
  const inner = memoryStore();
  const damaged = new Set<string>();
  const store: CheckpointStore = {
    ...inner,
    async open(id) {
      const source = await inner.open(id);
      if (!damaged.has(id)) return source;
      const bytes = new Uint8Array(await new Response(source.stream()).arrayBuffer());
      bytes[bytes.length - 40] ^= 1;
      return new Blob([bytes]);
    },
  };
  const { optimizer, parameters } = makeRun(cpuJs());
  const saves = checkpointer(optimizer, parameters, { store });
  step(optimizer, 1);
  const older = await saves.save();
  step(optimizer, 1);
  const newer = await saves.save();
  damaged.add(newer);
  const resumed = await saves.resume();
  expect(resumed).toMatchObject({ id: older, iterations: 1 });
  expect(resumed!.damaged).toMatchObject([{ id: newer, error: { code: "INVALID_FILE" } }]);
  expect(await store.list()).toEqual([older, newer]);
  // A damaged one does not count among those that are kept.
  const keeping = checkpointer(optimizer, parameters, { store, keep: 2 });
  await keeping.resume();
  const newest = await keeping.save();
  expect(await store.list()).toEqual([older, newer, newest]);
  await store.remove(newest);
  damaged.add(older);
  step(optimizer, 5);
  await expect(saves.resume()).rejects.toMatchObject({ code: "INVALID_FILE" });
  expect(optimizer.iterations).toBe(6);
});

test("an empty store resumes nothing", async () => {
  const { optimizer, parameters } = makeRun(cpuJs());
  expect(await checkpointer(optimizer, parameters, { store: memoryStore() }).resume()).toBe(
    undefined,
  );
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

test("a store from which no checkpoint can be read is not a damaged file", async () => {
  const inner = memoryStore();
  const { optimizer, parameters } = makeRun(cpuJs());
  await checkpointer(optimizer, parameters, { store: inner }).save();
  const cause = new GradstepError("The disk fails.", { code: "STORE_FAILED" });
  const store: CheckpointStore = { ...inner, open: () => Promise.reject(cause) };
  const resumed = checkpointer(optimizer, parameters, { store }).resume();
  await expect(resumed).rejects.toMatchObject({ code: "STORE_FAILED", cause });
});

test("a checkpoint that does not fit changes nothing, and names every difference", async () => {
  const store = memoryStore();
  const { optimizer, parameters } = makeRun(cpuJs());
  step(optimizer, 2);
  const saves = checkpointer(optimizer, parameters, { store });
  await saves.save();
  const backend = cpuJs();
  const other = {
    "dense/kernel": backend.tensor([2, 3], [1, 2, 3, 4, 5, 6]),
    bias: backend.tensor([2], [7, 8]),
    scale: backend.tensor([1], [9]),
  };
  const another = createOptimizer(spec(), other);
  const before = await another.state();
  const misfit = checkpointer(another, other, { store });
  await expect(misfit.resume()).rejects.toMatchObject({
    code: "STATE_MISMATCH",
    message: expect.stringMatching(/scale[^]*dense\/kernel/),
  });
  expect(await another.state()).toStrictEqual(before);
  expect([...(await other.bias.read())]).toEqual([7, 8]);
  const resumed = await misfit.resume({ partial: true });
  const paths = resumed!.misfits.map(({ path }) => path);
  expect(paths).toContain("parameters.scale");
  expect(paths).toContain("parameters.dense/kernel");
  expect([...(await other.bias.read())]).toEqual([...(await parameters.bias.read())]);
  expect([...(await other["dense/kernel"].read())]).toEqual([1, 2, 3, 4, 5, 6]);
});

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

test.each([
  [{ every: 0 }, "INVALID_HYPERPARAMETER"],
  [{ keep: 1.5 }, "INVALID_HYPERPARAMETER"],
  [{ slots: "f8" as "f16" }, "INVALID_HYPERPARAMETER"],
  [{ onError: 3 as unknown as () => void }, "INVALID_HYPERPARAMETER"],
  [{ evry: 3 }, "UNKNOWN_OPTION"],
])("options %j are refused", (options, code) => {
  const { optimizer, parameters } = makeRun(cpuJs());
  expect(() => checkpointer(optimizer, parameters, { store: memoryStore(), ...options })).toThrow(
    expect.objectContaining({ code }),
  );
});

test.each([
  ["store", { store: "folder" }, {}, "INVALID_HYPERPARAMETER"],
  ["no store", { store: undefined }, {}, "INVALID_HYPERPARAMETER"],
  ["others", { others: { epoch: 3 } }, {}, "INVALID_HYPERPARAMETER"],
  ["a typed array", {}, { w: new Float32Array(3) }, "INVALID_PARAMETER"],
])("what is not a run is refused at once: %s", (_, options, parameters, code) => {
  const { optimizer, parameters: tensors } = makeRun(cpuJs());
  const all = { store: memoryStore(), ...options } as never;
  const given = { ...tensors, ...parameters } as never;
  expect(() => checkpointer(optimizer, given, all)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(/got .*; expected/) }),
  );
});

test("slots of another type are refused before anything is encoded", async () => {
  const { optimizer, parameters } = makeRun(cpuJs());
  const store = memoryStore();
  await checkpointer(optimizer, parameters, { store }).save();
  const { checkpoint } = (await newestCheckpoint(store))!;
  expect(() => encodeCheckpoint(checkpoint, { slots: "float16" as "f16" })).toThrow(
    expect.objectContaining({ code: "INVALID_HYPERPARAMETER" }),
  );
});

test("options of resume and save that do not exist are refused, also without a checkpoint", async () => {
  const { optimizer, parameters } = makeRun(cpuJs());
  const saves = checkpointer(optimizer, parameters, { store: memoryStore() });
  const options = { partail: true } as object;
  await expect(saves.resume(options)).rejects.toMatchObject({ code: "UNKNOWN_OPTION" });
  await expect(saves.save(options)).rejects.toMatchObject({ code: "UNKNOWN_OPTION" });
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

test.each(["parameter", "optimizer"])(
  "a %s that throws at once leaves no rejection of another read unhandled",
  async (which) => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", listen);
    const thrown = new Error("at once");
    const fails = (): never => {
      throw thrown;
    };
    const { optimizer, parameters } = makeRun(cpuJs());
    const lost = { shape: [1], read: () => Promise.reject(new Error("lost")), write: fails };
    const saves = checkpointer(
      which === "optimizer" ? { iterations: 0, state: fails, restore: fails } : optimizer,
      which === "parameter" ? { ...parameters, lost, w: { ...lost, read: fails } } : { lost },
      { store: memoryStore() },
    );
    await expect(saves.save()).rejects.toThrow(/lost|at once/);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", listen);
    expect(unhandled).toEqual([]);
  },
);

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
