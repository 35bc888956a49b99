import { adam, createOptimizer, GradstepError } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { readOptax, writeOptax } from "../src/bridges/optax/index.js";
import { readTorch, writeTorch } from "../src/bridges/torch/index.js";
import {
  checkpointer,
  decodeCheckpoint,
  encodeCheckpoint,
  memoryStore,
  newestCheckpoint,
  type Checkpoint,
} from "../src/index.js";
import {
  decodeSafetensors,
  encodeSafetensors,
  floatValues,
  readSafetensorsHeader,
} from "../src/safetensors/index.js";

/** Values of all kinds; undefined is what is left out. */
const values: readonly unknown[] = [
  null,
  1,
  true,
  "text",
  2n,
  Symbol("s"),
  [],
  [1],
  {},
  Object.create(null),
  Object.freeze({}),
  new Map(),
  Promise.resolve(),
  new Float32Array(2),
];

const w = reference().tensor([2]);
const optimizer = createOptimizer(adam(), { w });
const parameters = { w: { shape: [2], values: new Float32Array(2) } };
const checkpoint: Checkpoint = { parameters, optimizer: await optimizer.state(), others: {} };
const source = { config: optimizer.config(), state: checkpoint.optimizer, parameters };
const file = await bytesOf(encodeCheckpoint(checkpoint));
const run = () => checkpointer(optimizer, { w }, { store: memoryStore() });

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return new Uint8Array(await new Blob(all as BlobPart[]).arrayBuffer());
}

/** The code with which a call fails, or the first chunk of what it returns. */
async function codeOf(call: () => unknown): Promise<string> {
  try {
    const result = await call();
    await (result as Partial<AsyncGenerator> | undefined)?.next?.();
  } catch (error) {
    if (error instanceof GradstepError) return error.code;
    throw error;
  }
  return "nothing was thrown";
}

type Call = (options: never) => unknown;

const calls: readonly (readonly [string, Call])[] = [
  ["encodeCheckpoint", (options) => encodeCheckpoint(checkpoint, options)],
  ["decodeCheckpoint", (options) => decodeCheckpoint(file, options)],
  ["encodeSafetensors", (options) => encodeSafetensors(new Map(), options)],
  ["decodeSafetensors", (options) => decodeSafetensors(file, options)],
  ["readSafetensorsHeader", (options) => readSafetensorsHeader(file, options)],
  ["readTorch", (options) => readTorch(file, options)],
  ["writeTorch", (options) => writeTorch(source, options)],
  ["readOptax", (options) => readOptax(file, options)],
  ["writeOptax", (options) => writeOptax(source, options)],
  ["newestCheckpoint", (options) => newestCheckpoint(memoryStore(), options)],
  ["save", (options) => run().save(options)],
  ["resume", (options) => run().resume(options)],
];

describe("wrong options", () => {
  test.each(calls)("%s", async (_, call) => {
    for (const options of [null, 1, "text", Symbol("s"), [], new Map(), { unknown: 1 }])
      expect([options, await codeOf(() => call(options as never))]).toEqual([
        options,
        "UNKNOWN_OPTION",
      ]);
  });
});

describe("a signal that is none", () => {
  test.each(calls)("%s", async (_, call) => {
    for (const signal of values)
      expect([signal, await codeOf(() => call({ signal } as never))]).toEqual([
        signal,
        "INVALID_HYPERPARAMETER",
      ]);
  });
});

describe("what cannot be told how far it is", () => {
  test.each(calls.filter(([name]) => !["readSafetensorsHeader", "save", "resume"].includes(name)))(
    "%s",
    async (_, call) => {
      for (const onProgress of values)
        expect([onProgress, await codeOf(() => call({ onProgress } as never))]).toEqual([
          onProgress,
          "INVALID_HYPERPARAMETER",
        ]);
    },
  );
});

test("an optimizer of Optax without a name", async () => {
  for (const optimizer of [...values, { name: 3 }, { name: Symbol("s") }])
    expect(await codeOf(() => readOptax(file, { optimizer } as never))).toBe(
      "INVALID_HYPERPARAMETER",
    );
});

test("a checkpoint without the state of an optimizer", async () => {
  for (const state of values)
    expect(await codeOf(() => encodeCheckpoint({ ...checkpoint, optimizer: state } as never))).toBe(
      "INVALID_PARAMETER",
    );
});

test("what is no tensor of a file has no values", async () => {
  for (const entry of [undefined, ...values, { dtype: Symbol("s") }])
    expect(await codeOf(() => floatValues(entry as never))).toBe("INVALID_FILE");
});
