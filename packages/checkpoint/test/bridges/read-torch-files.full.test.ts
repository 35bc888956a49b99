import { GradstepError } from "@gradstep/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTorch, type TorchCheckpoint } from "../../src/bridges/torch/index.js";
import {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsEntry,
} from "../../src/safetensors/index.js";
import { cases, seed } from "../../../../testing/cases.js";
import { bytesOf, changed, failureOf, read, resume } from "./torch-fixtures.js";

describe("readTorch", () => {
  test("parameters with different numbers of steps are groups of their own", async () => {
    const { spec, state, parameters } = await readTorch(read("adam-late-f32.safetensors"));
    expect(state.iterations).toBe(7);
    expect(state.groups.map((group) => [group.parameters, group.iterations])).toEqual([
      [["embedding.weight"], 4],
      [["layer.weight"], 7],
      [["layer.bias"], 0],
    ]);
    expect(spec.groups).toEqual([{ match: ["layer.weight"] }, { match: ["layer.bias"] }]);
    expect(parameters["layer.weight"].shape).toEqual([2, 3]);
    // PyTorch has no state of a parameter without gradients.
    expect(state.slots["layer.bias"].m).toEqual(new Float32Array(2));
  });

  test("each parameter has a group of its own, if they are to", async () => {
    const file = read("adam-frozen-f32.safetensors");
    const { spec, state } = await readTorch(file, { groups: "parameter" });
    expect(state.groups.map((group) => [group.parameters, group.iterations])).toEqual([
      [[], 7],
      [["embedding.weight"], 7],
      [["layer.weight"], 7],
      [["layer.bias"], 0],
    ]);
    expect(spec.groups.map(({ frozen }) => frozen)).toEqual([undefined, undefined, true]);
  });

  test("other groups, and options of other readers, are refused", async () => {
    const file = read("adam-f32.safetensors");
    const refused = [{ groups: "parameters" }, { digest: "ignore" }].map(async (options) => {
      const { code, message } = await failureOf(readTorch(file, options as never));
      expect(message).toMatch(/^readTorch/);
      return code;
    });
    expect(await Promise.all(refused)).toEqual(["INVALID_HYPERPARAMETER", "UNKNOWN_OPTION"]);
  });

  test("frozen parameters are in a frozen group", async () => {
    const { spec } = await readTorch(read("adam-frozen-f32.safetensors"));
    expect(spec.groups).toEqual([{ match: ["layer.bias"], frozen: true }]);
  });

  test("an optimizer all of whose parameters are frozen", async () => {
    const names = ["embedding.weight", "layer.weight", "layer.bias"];
    const bytes = await changed("adam-f32.safetensors", (one) => ({ ...one, frozen: names }));
    const checkpoint = await readTorch(bytes);
    expect(checkpoint.spec.groups).toEqual([{ match: names, frozen: true }]);
    expect(resume(checkpoint).optimizer.groups[0].frozen).toBe(true);
  });

  test("buffers are among the other tensors", async () => {
    const { otherTensors, parameters } = await readTorch(read("muon-f64.safetensors"));
    expect(Object.keys(parameters)).toEqual(["embedding.weight", "layer.weight"]);
    expect(Object.keys(otherTensors).sort()).toEqual([
      "layer.bias",
      "norm.num_batches_tracked",
      "norm.running_mean",
      "norm.running_var",
    ]);
    expect(otherTensors["norm.num_batches_tracked"]).toEqual({
      shape: [],
      values: BigInt64Array.of(0n),
    });
  });

  test("the steps of SGD are those of the scheduler", async () => {
    const states = ["sgd", "sgd-momentum", "sgd-unsaved", "cyclic-lr"].map(async (name) => {
      const { state } = await readTorch(read(`${name}-f32.safetensors`));
      return state.iterations;
    });
    expect(await Promise.all(states)).toEqual([0, 1, 0, 7]);
  });

  test("Adafactor's first ε depends on the type", async () => {
    const epsilons = ["f32", "f64"].map(async (type) => {
      const { spec } = await readTorch(read(`adafactor-${type}.safetensors`));
      return spec.hyperparameters.epsilon1;
    });
    expect(await Promise.all(epsilons)).toEqual([2 ** -23, 2 ** -52]);
  });

  test("reads streams", async () => {
    const blob = new Blob([new Uint8Array(read("adam-f32.safetensors"))]);
    expect((await readTorch(blob)).state).toEqual(
      (await readTorch(read("adam-f32.safetensors"))).state,
    );
  });

  test("weights in bf16 become f32", async () => {
    const bytes = await changed(
      "adam-f32.safetensors",
      (one) => one,
      (tensors) => {
        for (const [key, entry] of tensors)
          if (key.endsWith("bias")) tensors.set(key, { ...entry, dtype: "BF16" });
      },
    );
    const { values } = (await readTorch(bytes)).parameters["layer.bias"];
    const exact = (await readTorch(read("adam-f32.safetensors"))).parameters["layer.bias"].values;
    expect(values).toBeInstanceOf(Float32Array);
    // A bf16 is the upper half of an f32; the values were rounded to it.
    expect([...new Uint32Array(values.buffer)].map((bits) => bits % 2 ** 16)).toEqual([0, 0]);
    expect(Math.abs(values[0] / exact[0] - 1)).toBeLessThan(2 ** -8);
  });

  test("tells its progress, and can be aborted", async () => {
    const bytes = new Uint8Array(read("adam-f32.safetensors"));
    const progress: [number, number][] = [];
    await readTorch(bytes, { onProgress: (...one) => progress.push(one) });
    expect(progress.at(-1)).toEqual([bytes.length, bytes.length]);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(readTorch(bytes, { signal })).rejects.toThrow("enough");
  });

  test("a path is refused: the error says what is read", async () => {
    await expect(readTorch("run.safetensors" as never)).rejects.toThrow(
      /Got "run\.safetensors" as a file; expected a Uint8Array/,
    );
  });

  test.each(["pickle.pt", "pickle-legacy.pt"])("%s of torch.save is refused", async (name) => {
    const bytes = new Uint8Array(read(name));
    for (const source of [bytes, bytes.buffer, new Blob([bytes])]) {
      const { code, message } = await failureOf(readTorch(source));
      expect(code).toBe("INVALID_FILE");
      expect(message).toContain("scripts/bridges/torch_checkpoint.py");
    }
  });

  test("a .keras file is not taken for one of torch.save", async () => {
    const name = "config.json";
    const bytes = new Uint8Array(60);
    bytes.set([0x50, 0x4b, 3, 4]);
    bytes[26] = name.length;
    bytes.set(new TextEncoder().encode(name), 30);
    const { code, message } = await failureOf(readTorch(bytes));
    expect(code).toBe("INVALID_FILE");
    expect(message).toMatch(/Got a \.keras file.*readKeras of @gradstep\/keras/);
  });

  const scalar = (value: number): SafetensorsEntry => ({
    dtype: "F32",
    shape: [],
    data: Float32Array.of(value),
  });
  const same = <T>(value: T): T => value;
  const group = (options: object) => (one: Record<string, unknown>) => ({
    ...one,
    param_groups: (one.param_groups as object[]).map((old) => ({ ...old, ...options })),
  });
  test.each<
    [
      string,
      string,
      string,
      (description: Record<string, unknown>) => unknown,
      ((tensors: Map<string, SafetensorsEntry>) => void)?,
    ]
  >([
    ["no metadata", "INVALID_FILE", "no optimizer in its metadata", () => undefined],
    ["a list", "INVALID_FILE", "is []; expected what save() writes", () => []],
    ["another version", "UNSUPPORTED", "version 2", (one) => ({ ...one, version: 2 })],
    ["no class", "INVALID_FILE", "class is", (one) => ({ ...one, class: 5 })],
    ["another class", "UNSUPPORTED", "LBFGS", (one) => ({ ...one, class: "LBFGS" })],
    ["no groups", "INVALID_FILE", "param_groups", (one) => ({ ...one, param_groups: [] })],
    ["a group without names", "INVALID_FILE", "param_groups", group({ param_names: [0] })],
    ["an unknown option", "UNKNOWN_OPTION", "warmup", group({ warmup: 5 })],
    ["a wrong option", "INVALID_HYPERPARAMETER", "betas", group({ betas: 0.9 })],
    ["no frozen", "INVALID_FILE", "frozen", (one) => ({ ...one, frozen: undefined })],
    ["a wrong scheduler", "INVALID_FILE", "scheduler", (one) => ({ ...one, scheduler: "StepLR" })],
    [
      "a scheduler of another kind",
      "UNSUPPORTED",
      "LambdaLR",
      (one) => ({ ...one, scheduler: { name: "LambdaLR" }, last_epoch: 7 }),
    ],
    [
      "a scheduler without a position",
      "INVALID_FILE",
      "last_epoch",
      (one) => ({ ...one, scheduler: { name: "ExponentialLR", gamma: 0.9 } }),
    ],
    [
      "a scheduler that was stepped once per epoch",
      "UNSUPPORTED",
      "stepped 2 times in 7 steps",
      (one) => ({ ...one, scheduler: { name: "ExponentialLR", gamma: 0.9 }, last_epoch: 2 }),
    ],
    [
      "a rate that was changed by hand",
      "UNSUPPORTED",
      "changed by hand",
      (one) => ({ ...one, scheduler: { name: "ExponentialLR", gamma: 0.9 }, last_epoch: 7 }),
    ],
    ["a name twice", "INVALID_FILE", "twice", group({ param_names: ["layer.bias", "layer.bias"] })],
    ["an unknown name", "INVALID_FILE", "no model.head", group({ param_names: ["head"] })],
    [
      "half of a step",
      "INVALID_FILE",
      "step of layer.bias",
      same,
      (tensors) => tensors.set("state.layer.bias.step", scalar(0.5)),
    ],
    [
      "two steps",
      "INVALID_FILE",
      "2 values",
      same,
      (tensors) =>
        tensors.set("state.layer.bias.step", {
          dtype: "F32",
          shape: [2],
          data: Float32Array.of(1, 2),
        }),
    ],
    [
      "state of a stranger",
      "INVALID_FILE",
      "no parameter",
      same,
      (tensors) => tensors.set("state.head.step", scalar(1)),
    ],
    [
      "an unknown kind of state",
      "UNSUPPORTED",
      "prev",
      same,
      (tensors) => tensors.set("state.layer.bias.prev", scalar(1)),
    ],
    [
      "state of another optimizer",
      "UNSUPPORTED",
      "layer.bias has variance",
      same,
      (tensors) => tensors.set("state.layer.bias.variance", scalar(1)),
    ],
    [
      "state of another option",
      "UNSUPPORTED",
      "vMax",
      same,
      (tensors) => tensors.set("state.layer.bias.max_exp_avg_sq", scalar(1)),
    ],
    [
      "state of another shape",
      "INVALID_FILE",
      "slot m of layer.bias has 1 values",
      same,
      (tensors) => tensors.set("state.layer.bias.exp_avg", scalar(1)),
    ],
  ])("%s is refused", async (_, code, text, describe, change) => {
    const failure = await failureOf(
      readTorch(await changed("adam-f32.safetensors", describe, change)),
    );
    expect(failure.message).toContain(text);
    expect(failure.code).toBe(code);
  });

  test.each([
    ["cyclic-lr-f32", "momentum", { momentum: 0.123 }, 0.123],
    ["one-cycle-betas-f32", "first of betas", { betas: [0.5, 0.999] }, 0.5],
  ])("a momentum that the scheduler does not have is refused: %s", async (name, what, own, got) => {
    const file = await changed(`${name}.safetensors`, (description) => ({
      ...description,
      param_groups: (description.param_groups as object[]).map((group) => ({ ...group, ...own })),
    }));
    const failure = await failureOf(readTorch(file));
    expect(failure.code).toBe("UNSUPPORTED");
    expect(failure.message).toContain(`The ${what} of group 0 is ${got}, and `);
  });

  test("descriptions with anything in any place are read or refused", async () => {
    const { metadata, tensors } = await decodeSafetensors(read("step-lr-f32.safetensors"));
    const description: unknown = JSON.parse(metadata.get("optimizer")!);
    const places = placesOf(description);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), fc.jsonValue(), async (place, value) => {
        const text = JSON.stringify(withValue(description, place, value));
        const bytes = await bytesOf(
          encodeSafetensors(tensors, { metadata: new Map([["optimizer", text]]) }),
        );
        const result: unknown = await readTorch(bytes).catch((error: unknown) => error);
        const isRead = (result as Partial<TorchCheckpoint>).parameters !== undefined;
        expect(isRead || result instanceof GradstepError).toBe(true);
      }),
      { numRuns: cases(20_000, 300), seed },
    );
  });
});

/** The path of every value in JSON. */
function placesOf(value: unknown): string[][] {
  if (value === null || typeof value !== "object") return [[]];
  const inside = Object.entries(value).flatMap(([key, one]) =>
    placesOf(one).map((path) => [key, ...path]),
  );
  return [[], ...inside];
}

function withValue(json: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const copy = Array.isArray(json) ? [...(json as unknown[])] : { ...(json as object) };
  const own = copy as Record<string, unknown>;
  own[key] = withValue(own[key], rest, value);
  return copy;
}
