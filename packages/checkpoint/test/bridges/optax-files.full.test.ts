import { readdirSync, readFileSync } from "node:fs";
import {
  adam,
  createOptimizer,
  GradstepError,
  rmsprop,
  sgd,
  type OptimizerSpec,
  type Values,
} from "@gradstep/core";
import { fromOptax } from "@gradstep/core/interop";
import { oracle, reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import {
  readOptax,
  writeOptax,
  type OptaxOptimizer,
  type OptaxSource,
  type WriteOptaxOptions,
} from "../../src/bridges/optax/index.js";
import {
  decodeSafetensors,
  encodeSafetensors,
  floatValues,
  type SafetensorsEntry,
} from "../../src/safetensors/index.js";
import type { ImportedCheckpoint } from "../../src/index.js";
import { resume } from "./resumed-run.js";

const folder = new URL("../fixtures/optax/", import.meta.url);
const read = (name: string): Buffer => readFileSync(new URL(`${name}.safetensors`, folder));
const files = readdirSync(folder).flatMap((name) =>
  name.endsWith(".safetensors") ? [name.replace(".safetensors", "")] : [],
);

interface File {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const copies: Uint8Array[] = [];
  for await (const chunk of chunks) copies.push(Uint8Array.from(chunk));
  return Buffer.concat(copies);
}

async function write(source: OptaxSource, options?: WriteOptaxOptions): Promise<Uint8Array> {
  return bytesOf(writeOptax(source, options));
}

/** A file with other tensors or metadata. */
async function changed(
  name: string,
  change: (tensors: Map<string, SafetensorsEntry>, metadata: Map<string, string>) => void,
): Promise<Uint8Array> {
  const { metadata, tensors } = await decodeSafetensors(read(name));
  const [newTensors, newMetadata] = [new Map(tensors), new Map(metadata)];
  change(newTensors, newMetadata);
  return bytesOf(encodeSafetensors(newTensors, { metadata: newMetadata }));
}

/** What an optimizer that continues from a checkpoint saves. */
async function saved(checkpoint: ImportedCheckpoint, isDouble = false): Promise<OptaxSource> {
  const { optimizer } = resume(checkpoint, isDouble ? oracle() : reference());
  return {
    config: optimizer.config(),
    state: await optimizer.state(),
    parameters: checkpoint.parameters,
  };
}

/** A new optimizer after one step. */
async function trained(spec: OptimizerSpec, options: object = {}): Promise<OptaxSource> {
  const w = reference().tensor([2], [1, -2]);
  const optimizer = createOptimizer(spec, { w }, options);
  optimizer.step({ w: Float32Array.of(0.5, -0.25) });
  const values = Float32Array.from(await w.read());
  return {
    config: optimizer.config(),
    state: await optimizer.state(),
    parameters: { w: { shape: [2], values } },
  };
}

async function errorOf(action: () => Promise<unknown>): Promise<GradstepError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof GradstepError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const optimizerIn = ({ metadata }: File): OptaxOptimizer =>
  JSON.parse(metadata.get("optimizer")!) as OptaxOptimizer;

function floats({ tensors }: File, path: string): number[] {
  return Array.from(floatValues(tensors.get(path)!));
}

describe("what was read is written as Optax wrote it", () => {
  test.each(files)("%s", async (name) => {
    const theirs = await decodeSafetensors(read(name));
    const source = await saved(await readOptax(read(name)), name.endsWith("-f64"));
    const ours = await decodeSafetensors(await write(source, { name: optimizerIn(theirs).name }));
    expect([...ours.tensors.keys()].sort()).toEqual([...theirs.tensors.keys()].sort());
    for (const [path, { dtype, shape, data }] of theirs.tensors) {
      const got = ours.tensors.get(path)!;
      expect({ path, dtype: got.dtype, shape: got.shape }).toEqual({ path, dtype, shape });
      // The rate of a schedule is computed here in f64.
      const allowed = path.endsWith("hyperparams.learning_rate") ? 1e-8 : 0;
      const [values, wanted] = [got.data, data].map((one) =>
        Array.from<unknown, number>(one, Number),
      );
      const differences = wanted.map((value, k) => Math.abs(value - values[k]));
      expect({ path, isSame: Math.max(...differences) <= allowed }).toEqual({ path, isSame: true });
    }
  });

  test.each(files)("%s, under the name that is found", async (name) => {
    const first = await saved(await readOptax(read(name)), name.endsWith("-f64"));
    const again = await saved(await readOptax(await write(first)), name.endsWith("-f64"));
    expect(again).toEqual(first);
  });
});

describe("other forms are converted", () => {
  test("Keras's velocity is divided by the rate", async () => {
    const spec = sgd({ learningRate: 0.25, momentum: 0.5 });
    const file = await decodeSafetensors(await write(await trained(spec)));
    expect(floats(file, "opt_state.0.trace.w")).toEqual([0.5, -0.25]);
    const zero = await trained(sgd({ learningRate: 0, momentum: 0.5 }));
    expect(await errorOf(() => write(zero))).toMatchObject({ code: "UNSUPPORTED" });
  });

  test("PyTorch's velocity of RMSprop is multiplied by it, with the sign of the update", async () => {
    const spec = rmsprop({ learningRate: 0.25, momentum: 0.5, rho: 0, momentumForm: "torch" });
    const [source, keras] = await Promise.all([
      trained(spec),
      trained(rmsprop({ learningRate: 0.25, momentum: 0.5, rho: 0 })),
    ]);
    const { m } = keras.state.slots.w;
    const file = await decodeSafetensors(await write(source));
    const trace = floats(file, "opt_state.2.trace.w");
    expect(trace.map((value) => -value)).toEqual(
      Array.from(m, (value) => expect.closeTo(value, 7)),
    );
    expect(trace[0]).toBeLessThan(0);
  });

  test("bf16 becomes f32", async () => {
    const file = await changed("adam-f32", (tensors) => {
      const path = "opt_state.0.mu.dense.bias";
      tensors.set(path, { dtype: "BF16", shape: [2], data: Uint16Array.of(0x3f80, 0xbf00) });
    });
    const { state } = await readOptax(file);
    expect(state.slots["dense.bias"].m).toEqual(Float32Array.of(1, -0.5));
  });

  test("the mean of accumulated gradients becomes their sum", async () => {
    const { tensors } = await decodeSafetensors(read("multi_steps-f64"));
    const { state } = await readOptax(read("multi_steps-f64"));
    const mean = floatValues(tensors.get("opt_state.acc_grads.dense.bias")!);
    expect(state.control!.microSteps).toBe(2);
    expect(Array.from(state.control!.accumulated["dense.bias"])).toEqual(
      Array.from(mean, (value) => 2 * value),
    );
  });
});

describe("the metadata", () => {
  test("says which optimizer to make, with floats as Python takes them", async () => {
    const bytes = await write(await trained(fromOptax("adam", { learning_rate: 1 })));
    const { metadata } = await decodeSafetensors(bytes);
    expect(Object.fromEntries(metadata)).toEqual({
      format: "optax",
      version: "1",
      steps: "1",
      optimizer:
        '{"name": "adam", "learning_rate": 1.0, "b1": 0.9, "b2": 0.999, "eps": 1e-8, "eps_root": 0.0, "nesterov": false}',
    });
  });

  test("counts the steps of optimizers that do not", async () => {
    const { state } = await readOptax(await write(await trained(fromOptax("sgd", {}))));
    expect(state.iterations).toBe(1);
    expect((await readOptax(read("sgd-f32"))).state.iterations).toBe(0);
  });

  test("can be left out, or replaced", async () => {
    const bytes = await changed("adam-f32", (_, metadata) => metadata.clear());
    const error = await errorOf(() => readOptax(bytes));
    expect(error).toMatchObject({ code: "UNSUPPORTED" });
    expect(error.message).toMatch(/readOptax\(source, \{ optimizer: \{ name: "adamw"/);
    const optimizer = { name: "scale_by_adam+scale", step_size: -0.5 };
    const { spec } = await readOptax(read("adam-f32"), { optimizer });
    expect(spec.hyperparameters.learningRate).toBe(0.5);
  });

  test.each([
    ["optimizer", "{", "INVALID_FILE"],
    ["optimizer", "null", "INVALID_FILE"],
    ["optimizer", '{"learning_rate": 1}', "INVALID_FILE"],
    ["optimizer", '{"name": "adafactor"}', "UNSUPPORTED"],
    ["optimizer", '{"name": "adam", "mu_dtype": "bfloat16"}', "UNSUPPORTED"],
    ["optimizer", '{"name": "adam", "rate": 1}', "UNKNOWN_OPTION"],
    ["optimizer", "[1]", "INVALID_FILE"],
    ["steps", "-1", "INVALID_FILE"],
    ["steps", "", "INVALID_FILE"],
    ["steps", "1e3", "INVALID_FILE"],
    ["version", "2", "UNSUPPORTED"],
  ])("%s: %s is refused", async (key, text, code) => {
    const bytes = await changed("adam-f32", (_, metadata) => metadata.set(key, text));
    expect(await errorOf(() => readOptax(bytes))).toMatchObject({ code });
  });
});

describe("what does not fit is one error with all of it", () => {
  const readAs = (file: string, optimizer: OptaxOptimizer): Promise<GradstepError> =>
    errorOf(() => readOptax(read(file), { optimizer }));

  test("the state of another optimizer", async () => {
    const error = await readAs("adam-f32", { name: "sgd", momentum: 0.9 });
    expect(error.code).toBe("STATE_MISMATCH");
    expect(error.message).toMatch(/opt_state\.0\.trace\.scale is missing/);
    expect(error.message).toMatch(/opt_state\.0\.mu\.scale is unknown/);
    expect(error.message).toMatch(/opt_state\.0\.count is unknown/);
  });

  test("a schedule that is not named", async () => {
    const error = await readAs("adam-schedule-f32", { name: "adam", learning_rate: 1 });
    expect(error.message).toMatch(/opt_state\.1\.count is unknown/);
  });

  test("injected hyperparameters that are not named", async () => {
    const error = await readAs("inject-f32", { name: "adamw" });
    expect(error.message).toMatch(/hyperparams\.b1 is of inject_hyperparams.*inject_hyperparams\+/);
  });

  test("shapes, types, counts and constants", async () => {
    const scalar = (value: number): SafetensorsEntry => ({
      dtype: "F32",
      shape: [],
      data: Float32Array.of(value),
    });
    const other = await changed("ademamix-f32", (tensors) => {
      tensors.set("opt_state.0.nu.scale", scalar(1));
      tensors.set("opt_state.0.count", scalar(1));
      tensors.delete("opt_state.0.m1.dense.bias");
    });
    const error = await errorOf(() => readOptax(other));
    expect(error.message).toMatch(/nu\.scale is F32 \[\]; expected floats \[1\]/);
    expect(error.message).toMatch(/count is F32 \[\]; expected integers \[\]/);
    expect(error.message).toMatch(/m1\.dense\.bias is missing/);

    const counts = await changed("ademamix-f32", (tensors) => {
      tensors.set("opt_state.0.count_m2", { dtype: "I32", shape: [], data: Int32Array.of(3) });
    });
    expect((await errorOf(() => readOptax(counts))).message).toMatch(/20009 steps, and .* 3/);

    const optimizer = { name: "schedule_free_sgd", learning_rate: 0.001, b1: 0.8 };
    const constants = await readAs("schedule_free_sgd-f32", optimizer);
    expect(constants.message).toMatch(/b1 is 0\.89.*; its options say 0\.8/);
  });

  test("no parameters, and parameters that are no floats", async () => {
    const none = await changed("sgd-f32", (tensors) => tensors.clear());
    expect(await errorOf(() => readOptax(none))).toMatchObject({ code: "INVALID_FILE" });
    const integers = await changed("sgd-f32", (tensors) => {
      tensors.set("params.ids", { dtype: "I32", shape: [], data: Int32Array.of(3) });
    });
    expect(await errorOf(() => readOptax(integers))).toMatchObject({ code: "INVALID_FILE" });
  });
});

describe("what Optax cannot continue", () => {
  const optaxAdam = adam({ epsilonMode: "paper" });

  test("forms of ε, groups, and what is not in a chain", async () => {
    const error = await errorOf(async () => write(await trained(adam({}), { lossScale: 2 })));
    expect(error.code).toBe("UNSUPPORTED");
    expect(error.message).toMatch(/lossScale.*epsilonMode is "keras".*fromOptax\("adam"/);
    const frozen = await trained(optaxAdam);
    const state = { ...frozen.state, groups: [{ ...frozen.state.groups[0], iterations: 7 }] };
    expect((await errorOf(() => write({ ...frozen, state }))).message).toMatch(/7 of 1 steps/);
  });

  test("schedules of schedule-free optimizers", async () => {
    const learning_rate = { schedule: "linear", options: { from: 1, to: 0, steps: 9 } };
    const optimizer = { name: "schedule_free_sgd", learning_rate };
    const error = await errorOf(() => readOptax(read("schedule_free_sgd-f32"), { optimizer }));
    expect(error).toMatchObject({ code: "UNSUPPORTED" });
  });

  test("matrices that AdamW updates", async () => {
    const { spec, parameters } = await readOptax(read("muon-f32"));
    const groups = [{ ...spec.groups[0], match: ["hidden.bias", "wide.kernel"] }];
    const backend = reference();
    const tensors = Object.entries(parameters).map(([name, { shape, values }]) => [
      name,
      backend.tensor(shape, values),
    ]);
    const other = createOptimizer({ ...spec, groups }, Object.fromEntries(tensors));
    const source = { config: other.config(), state: await other.state(), parameters };
    expect((await errorOf(() => write(source))).message).toMatch(/wide\.kernel/);
  });

  test.each<[string, string, (source: OptaxSource) => unknown, RegExp]>([
    [
      "the state of another rule",
      "STATE_MISMATCH",
      (source) => ({ ...source, state: { ...source.state, rule: "lion" } }),
      /writeOptax: rule is "lion" in the state, and "adam" in the config/,
    ],
    [
      "a state that was not awaited",
      "STATE_MISMATCH",
      (source) => ({ ...source, state: Promise.resolve(source.state) }),
      /writeOptax: state is a Promise; .*await optimizer\.state\(\)/,
    ],
    [
      "no parameters",
      "INVALID_PARAMETER",
      ({ config, state }) => ({ config, state }),
      /writeOptax: parameters is undefined/,
    ],
    [
      "parameters of another name",
      "STATE_MISMATCH",
      ({ parameters: { w }, ...rest }) => ({ ...rest, parameters: { other: w } }),
      /lack w, and have other/,
    ],
    [
      "rows that were counted on the device",
      "UNSUPPORTED",
      (source) => ({ ...source, state: { ...source.state, rowCounts: { w: 1 } } }),
      /w has 1 of 2 rows/,
    ],
  ])("%s", async (_, code, change, text) => {
    const source = change(await trained(optaxAdam)) as OptaxSource;
    const error = await errorOf(() => write(source));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
  });

  test("parameters of another shape", async () => {
    const source = await trained(optaxAdam);
    const values: Values = Float32Array.of(1, 2, 3);
    const error = await errorOf(() =>
      write({ ...source, parameters: { w: { shape: [3], values } } }),
    );
    expect(error).toMatchObject({ code: "STATE_MISMATCH" });
    expect(error.message).toMatch(/w has the shape \[3\], and \[2\] in the state/);
  });
});
