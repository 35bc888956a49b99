import { createOptimizer } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { expect, test } from "vitest";
import { checkpointer, encodeCheckpoint, memoryStore, newestCheckpoint } from "../../src/index.js";
import { makeRun, spec } from "./run.js";

test.each([
  [{ every: 0 }, "INVALID_HYPERPARAMETER"],
  [{ every: null as never }, "INVALID_HYPERPARAMETER"],
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
  ["no others", { others: null }, {}, "INVALID_HYPERPARAMETER"],
  [
    "a list of others",
    { others: [{ state: () => 1, restore() {} }] },
    {},
    "INVALID_HYPERPARAMETER",
  ],
  ["a typed array", {}, { w: new Float32Array(3) }, "INVALID_PARAMETER"],
])("what is not a run is refused at once: %s", (_, options, parameters, code) => {
  const { optimizer, parameters: tensors } = makeRun(cpuJs());
  const all = { store: memoryStore(), ...options } as never;
  const given = { ...tensors, ...parameters } as never;
  expect(() => checkpointer(optimizer, given, all)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(/got .*; expected/) }),
  );
});

test.each([undefined, null, "weights", 3, true, [], new Map()])(
  "parameters that are %s are refused with a code",
  (parameters) => {
    const { optimizer } = makeRun(cpuJs());
    expect(() => checkpointer(optimizer, parameters as never, { store: memoryStore() })).toThrow(
      expect.objectContaining({ code: "INVALID_PARAMETER" }),
    );
  },
);

test.each([undefined, null, "folder", 3, {}, []])(
  "a store that is %s has no newest",
  async (store) => {
    await expect(newestCheckpoint(store as never)).rejects.toMatchObject({
      code: "INVALID_HYPERPARAMETER",
      message: expect.stringContaining("fileStore(path)") as string,
    });
  },
);

test.each([undefined, null, "text", 3, {}, [], { optimizer: {} }, { parameters: {} }])(
  "%j is not encoded as a checkpoint",
  (checkpoint) => {
    expect(() => encodeCheckpoint(checkpoint as never)).toThrow(
      expect.objectContaining({ code: "INVALID_PARAMETER" }),
    );
  },
);

test("a model in place of parameters: the message says how to get them", () => {
  const { optimizer } = makeRun(cpuJs());
  const model = { getWeights: () => [] };
  expect(() => checkpointer(optimizer, model as never, { store: memoryStore() })).toThrow(
    "tfParameters(model)",
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

test("parameters of the optimizer that the checkpointer does not have are an error", async () => {
  const { optimizer, parameters } = makeRun(cpuJs());
  const { bias } = parameters;
  expect(() => checkpointer(optimizer, { bias }, { store: memoryStore() })).toThrow(
    expect.objectContaining({
      code: "INVALID_PARAMETER",
      message: expect.stringContaining("lack dense/kernel, which the optimizer has"),
    }),
  );
});

test("parameters that the optimizer gets later are an error until they are added", async () => {
  const backend = cpuJs();
  const tensors = { w: backend.tensor([2], [1, 2]) };
  const optimizer = createOptimizer(spec(), tensors);
  const store = memoryStore();
  const errors: unknown[] = [];
  const parameters: Record<string, (typeof tensors)["w"]> = { ...tensors };
  const saves = checkpointer(optimizer, parameters, {
    store,
    every: 1,
    onError: (error) => errors.push(error),
  });
  const x = backend.tensor([1], [3]);
  const larger = optimizer.add({ x });
  const missing = {
    code: "INVALID_PARAMETER",
    message: expect.stringContaining("lack x, which the optimizer has"),
  };
  await expect(saves.save()).rejects.toMatchObject(missing);
  await expect(saves.resume()).rejects.toMatchObject(missing);
  larger.step({ w: Float32Array.of(1, 1), x: Float32Array.of(1) });
  saves.afterStep();
  await saves.close();
  expect(errors).toMatchObject([missing]);
  expect(await store.list()).toEqual([]);
  parameters.x = x;
  await saves.save();
  const { checkpoint } = (await newestCheckpoint(store))!;
  expect(Object.keys(checkpoint.parameters)).toEqual(["w", "x"]);
  // What the optimizer does not have any more may stay.
  larger.remove("x");
  await saves.save();
});
