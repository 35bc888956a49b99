import { adam, createOptimizer, GradstepError } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { expect, test } from "vitest";
import { checkpointer, memoryStore, type CheckpointStore } from "../../src/index.js";
import { makeRun, spec, step, valuesOf } from "./run.js";

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

test("the misfits of the optimizer are listed with those of the parameters, and what to do", async () => {
  const store = memoryStore();
  const first = makeRun(cpuJs());
  await checkpointer(first.optimizer, first.parameters, { store }).save();
  const backend = cpuJs();
  const parameters = { bias: backend.tensor([3], [1, 2, 3]) };
  const optimizer = createOptimizer(adam(), parameters);
  optimizer.step({ bias: Float32Array.of(1, 2, 3) });
  const before = [await optimizer.state(), await parameters.bias.read()];
  const resuming = checkpointer(optimizer, parameters, { store });
  const error: GradstepError = await resuming.resume().then(
    () => expect.unreachable(),
    (reason: unknown) => reason as GradstepError,
  );
  expect(error.code).toBe("STATE_MISMATCH");
  expect(error.message).toMatch(/^The checkpoint does not fit this run in \d+ places:/);
  expect(error.message).toContain(
    "Nothing was changed; resume({ partial: true }) takes what fits.",
  );
  const paths = error.misfits!.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(["parameters.dense/kernel", "parameters.bias", "rule", "shapes.bias"]),
  );
  expect([await optimizer.state(), await parameters.bias.read()]).toStrictEqual(before);
});

test("an optimizer that fits is left as it is where parameters do not fit", async () => {
  const store = memoryStore();
  const { optimizer, parameters } = makeRun(cpuJs());
  const scale = cpuJs().tensor([1], [3]);
  await checkpointer(optimizer, { ...parameters, scale }, { store }).save();
  step(optimizer, 3);
  const before = await optimizer.state();
  const resuming = checkpointer(optimizer, parameters, { store });
  await expect(resuming.resume()).rejects.toMatchObject({
    misfits: [{ path: "parameters.scale" }],
  });
  expect(await optimizer.state()).toStrictEqual(before);
});

test("an optimizer of another rule is named as a misfit of the run", async () => {
  const store = memoryStore();
  const first = makeRun(cpuJs());
  await checkpointer(first.optimizer, first.parameters, { store }).save();
  const { parameters } = makeRun(cpuJs());
  const optimizer = createOptimizer(adam(), parameters);
  await expect(checkpointer(optimizer, parameters, { store }).resume()).rejects.toMatchObject({
    code: "STATE_MISMATCH",
    message: expect.stringMatching(
      /^The checkpoint does not fit this run in [^]*- rule is [^]*resume\(\{ partial/,
    ),
  });
});

test("a parameter that was freed is an error before anything changes", async () => {
  const store = memoryStore();
  const { optimizer, parameters } = makeRun(cpuJs());
  const mean = cpuJs().tensor([1], [3]);
  const saves = checkpointer(optimizer, { ...parameters, mean }, { store });
  await saves.save();
  step(optimizer, 2);
  const before = await valuesOf(parameters);
  mean.free();
  await expect(saves.resume()).rejects.toMatchObject({ code: "DISPOSED" });
  expect(optimizer.iterations).toBe(2);
  expect(await valuesOf(parameters)).toEqual(before);
});
