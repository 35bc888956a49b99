import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  ema,
  GradstepError,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerState,
  type Tensor,
} from "@gradstep/core";
import type { WebGpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { pathsIn, withPart } from "../../../testing/wrong-parts.js";
import { revoked, wrongValues } from "../../../testing/wrong-values.js";
import { bufferOf, describe, newBackend } from "./gpu.js";

/** A step of this has a mask, signals and a copy: more bindings than WebGPU promises. */
const limits = { maxStorageBuffersPerShaderStage: 10 };

interface Run {
  readonly backend: WebGpu;
  readonly optimizer: Optimizer;
  /** Parameters, gradients and a copy. */
  readonly tensors: Readonly<Record<"w" | "b" | "gw" | "gb" | "copy", Tensor>>;
  readonly mask: Tensor;
  readonly flag: Tensor;
  readonly one: Tensor;
}

type Arguments = readonly unknown[];
type Value = readonly [what: string, make: () => unknown];

function floats({ device }: WebGpu, length: number): GPUBuffer {
  return bufferOf(
    device,
    Float32Array.from({ length }, (_, i) => Math.sin(i)),
  );
}

function words({ device }: WebGpu, ...values: number[]): GPUBuffer {
  return bufferOf(device, Uint32Array.from(values));
}

/** An optimizer whose tensors have strides, columns at offsets, fixed point and f16. */
function newRun(backend: WebGpu, options: OptimizerOptions = {}): Run {
  const sums = bufferOf(
    backend.device,
    Int32Array.from({ length: 16 }, (_, i) => i * 100 - 700),
  );
  const tensors = {
    w: backend.wrap(floats(backend, 16), { shape: [4, 2], offset: 1, rowStride: 3, capacity: 5 }),
    b: backend.tensor([4], [1, 2, 3, 4]),
    gw: backend.wrap(sums, { shape: [4, 2], rowStride: 4, dtype: "i32", scale: 1e-3 }),
    gb: backend.tensor([4], [0.1, -0.2, 0.3, 0.4]),
    copy: backend.wrap(floats(backend, 16), {
      shape: [4, 2],
      offset: 2,
      rowStride: 4,
      dtype: "f16",
    }),
  };
  const { w, b, copy } = tensors;
  const m = backend.wrap(floats(backend, 8), { shape: [4], offset: 3, capacity: 5 });
  const rule = chain(clipByGlobalNorm(1), adam({ learningRate: 0.01 }), ema());
  const optimizer = createOptimizer(
    rule,
    { w, b },
    {
      groups: [{ match: "b", learningRate: 0.1, beta1: 0.8 }],
      copies: { w: { to: copy, as: "sigmoid" } },
      activatedGradients: { b: "exp" },
      slots: { b: { m } },
      rowCounts: { b: 3 },
      ...options,
    },
  );
  return {
    backend,
    optimizer,
    tensors,
    mask: backend.wrap(words(backend, 1, 0, 1, 0), { dtype: "u32" }),
    flag: backend.wrap(words(backend, 0), { dtype: "u32" }),
    one: backend.wrap(floats(backend, 1)),
  };
}

const halves = (backend: WebGpu, rows: number): Tensor =>
  backend.wrap(floats(backend, 8), { shape: [rows, 2], rowStride: 3, dtype: "f16" });

/** Arguments that are right, for each call. */
const calls: readonly (readonly [string, (run: Run, state: OptimizerState) => Arguments])[] = [
  [
    "step",
    ({ tensors: { gw, gb }, mask, one, flag }) => [
      { w: gw, b: gb },
      {
        rows: { w: mask },
        unselectedRows: "keep",
        clear: true,
        scale: one,
        skip: flag,
        learningRate: { w: one },
      },
    ],
  ],
  [
    "step",
    ({ one }) => [
      {
        w: { indices: Uint32Array.of(1, 2), values: new Float32Array(4) },
        b: new Float32Array(4),
      },
      { scale: 2, learningRate: one },
    ],
  ],
  [
    "encode",
    ({ backend, tensors: { gw, gb }, mask, one }) => [
      backend.device.createCommandEncoder(),
      { w: gw, b: gb },
      { rows: mask, unselectedRows: "decay", clear: true, scale: one },
    ],
  ],
  ["gradient", () => ["w"]],
  ["rows", () => [["w", "b"]]],
  [
    "add",
    ({ backend, flag }) => [
      { c: backend.tensor([4, 2]) },
      {
        copies: {
          c: { to: backend.tensor([4, 2]), as: { kind: "affine", scale: 2, offset: 1 } },
        },
        activatedGradients: { c: "exp" },
        slots: { c: { m: backend.tensor([4, 2]) } },
        rowCounts: { c: flag },
      },
    ],
  ],
  ["remove", () => [["w"]]],
  ["reset", ({ mask }) => [["w", "b"], { rows: mask, columns: [0, 1] }]],
  [
    "encodeReset",
    ({ backend, mask }) => [
      backend.device.createCommandEncoder(),
      ["w"],
      { rows: mask, columns: [0, 1] },
    ],
  ],
  ["fillCopies", () => [["w"]]],
  ["encodeFillCopies", ({ backend }) => [backend.device.createCommandEncoder(), ["w"]]],
  ["state", () => [{}]],
  ["restore", (_, state) => [state, { schedules: "same", partial: false }]],
  ["explain", ({ tensors: { gw, gb } }) => ["w", 3, { w: gw, b: gb }]],
  [
    "remap",
    ({ backend }) => [
      Uint32Array.of(3, 1, 0, 0, 2),
      {
        resetRows: { w: "all", b: Uint32Array.of(1, 0, 0, 1, 1) },
        parameters: { b: backend.tensor([5]) },
        copies: { w: halves(backend, 5) },
      },
    ],
  ],
  [
    "encodeRemap",
    ({ backend, mask, flag }) => [
      backend.device.createCommandEncoder(),
      mask,
      { count: flag, capacity: 4, resetRows: mask },
    ],
  ],
];

/** Values of the wrong kind for a device, too. */
async function valuesFor(backend: WebGpu): Promise<readonly Value[]> {
  const other = await newBackend(limits);
  const freed = (shape: readonly number[]): Tensor => {
    const tensor = backend.tensor(shape);
    tensor.free();
    return tensor;
  };
  const wrapped = (shape: readonly number[], dtype: "f16" | "u32"): Tensor =>
    backend.wrap(floats(backend, 16), { shape, offset: 1, dtype });
  return [
    ...wrongValues,
    ["0.5", () => 0.5],
    ["2^32", () => 2 ** 32],
    ["infinity", () => Infinity],
    ["a name", () => "w"],
    ["a name of all objects", () => "constructor"],
    ["names, one of them twice", () => ["b", "w", "b"]],
    ["a GPUBuffer", () => floats(backend, 8)],
    ["a tensor without STORAGE for copies", () => backend.tensor([4, 2])],
    ["a tensor of one value", () => backend.tensor([1])],
    ["a tensor that was freed", () => freed([4, 2])],
    ["a tensor of one value that was freed", () => freed([1])],
    ["a tensor of another backend", () => other.tensor([4, 2])],
    ["f16", () => wrapped([4, 2], "f16")],
    ["one f16", () => wrapped([1], "f16")],
    ["u32", () => wrapped([4, 2], "u32")],
    ["one u32", () => wrapped([1], "u32")],
    ["a Float64Array", () => new Float64Array(8)],
    ["an Int32Array", () => Int32Array.of(0, -1, 2, 3)],
    ["a table of null", () => ({ w: null })],
    ["a table of revoked proxies", () => ({ w: revoked({}) })],
    ["a table of symbols", () => ({ b: Symbol("s") })],
    ["a table of freed tensors", () => ({ w: freed([4, 2]) })],
    ["indices of no kind", () => ({ indices: null, values: revoked([]) })],
    ["an index that is too large", () => ({ indices: [9], values: new Float32Array(2) })],
    ["no encoder", () => ({ beginComputePass: 1 })],
  ];
}

async function call({ optimizer }: Run, name: string, args: Arguments): Promise<void> {
  const object: object = name.toLowerCase().endsWith("remap") ? optimizer.rows() : optimizer;
  await (object as Record<string, (...args: Arguments) => unknown>)[name](...args);
}

/** The error of a call; undefined if there is none. */
async function errorOf(run: Run, name: string, args: Arguments): Promise<unknown> {
  try {
    await call(run, name, args);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** A state in the middle of a step, if several calls make one. */
async function stateOf({ optimizer, tensors: { gw, gb } }: Run): Promise<OptimizerState> {
  for (let i = 0; i < 3; i += 1) optimizer.step({ w: gw, b: gb });
  const state = await optimizer.state();
  optimizer.dispose();
  return state;
}

/** What the next steps depend on and make. */
async function traceOf({ optimizer, tensors }: Run): Promise<unknown> {
  const { w, gw, gb } = tensors;
  const read = (): Promise<unknown> =>
    Promise.all(Object.values(tensors).map((tensor) => tensor.read()));
  const { parameters, iterations, microSteps, isSwapped, groups } = optimizer;
  const before = {
    counts: [iterations, microSteps],
    parameters,
    isSwapped,
    shape: w.shape,
    rates: [optimizer.learningRate, ...groups.map((group) => group.learningRate)],
  };
  const values = await read();
  for (let i = 0; i < 3; i += 1) optimizer.step({ w: gw, b: gb });
  return { before, values, state: await optimizer.state(), after: await read() };
}

const guarded: OptimizerOptions = { accumulate: 2, nonFinite: "skip", lossScale: "dynamic" };

describe.each<[string, OptimizerOptions, typeof calls]>([
  ["a step per call", {}, calls],
  [
    "accumulation and a guard",
    guarded,
    calls.filter(([name]) => /^(step|encode|explain|remap|restore)$/.test(name)),
  ],
])("calls with a part of the wrong kind, of an optimizer with %s", (_, options, tested) => {
  test.each(tested)("%s", async (name, makeArguments) => {
    const backend = await newBackend(limits);
    const values = await valuesFor(backend);
    const start = (): Run => newRun(backend, options);
    const state = await stateOf(start());
    for (const path of pathsIn(makeArguments(start(), state))) {
      const argumentsFor = (run: Run, value: unknown): Arguments =>
        withPart(makeArguments(run, state), path, value);
      let run = start();
      const refused: Value[] = [];
      const uncoded: string[] = [];
      for (const one of values) {
        const error = await errorOf(run, name, argumentsFor(run, one[1]()));
        if (error === undefined) {
          run.optimizer.dispose();
          run = start();
          continue;
        }
        refused.push(one);
        if (!(error instanceof GradstepError))
          uncoded.push(`${one[0]}: ${(error as Error).message}`);
      }
      expect({ path, uncoded }).toEqual({ path, uncoded: [] });
      // What was refused has changed nothing: the steps after it are those of an optimizer that never saw it.
      const [called, untouched] = [start(), start()];
      for (const { optimizer, tensors } of [called, untouched])
        optimizer.step({ w: tensors.gw, b: tensors.gb });
      for (const [what, make] of refused) {
        const error = await errorOf(called, name, argumentsFor(called, make()));
        expect({ path, what, error }).toEqual({ path, what, error: expect.any(GradstepError) });
      }
      expect({ path, trace: await traceOf(called) }).toEqual({
        path,
        trace: await traceOf(untouched),
      });
      for (const { optimizer } of [run, called, untouched]) optimizer.dispose();
    }
    await backend.ready();
  });
});

/** Calls that change nothing in which a swap matters. */
const takenWhileSwapped = ["gradient", "fillCopies", "encodeFillCopies"];

test("calls while the weights are swapped are refused, and change nothing", async () => {
  const backend = await newBackend(limits);
  const [called, untouched] = [newRun(backend), newRun(backend)];
  const state = await stateOf(newRun(backend));
  for (const { optimizer, tensors } of [called, untouched])
    optimizer.step({ w: tensors.gw, b: tensors.gb });
  const rows = called.optimizer.rows();
  called.optimizer.swap();
  const metrics = await called.optimizer.metrics();
  for (const [name, makeArguments] of calls.filter(([name]) => name !== "add")) {
    const args = makeArguments(called, state);
    const error = name.toLowerCase().endsWith("remap")
      ? await errorOf({ ...called, optimizer: { rows: () => rows } as never }, name, args)
      : await errorOf(called, name, args);
    const code = error instanceof GradstepError ? error.code : error;
    expect([name, code]).toEqual([name, takenWhileSwapped.includes(name) ? undefined : "SWAPPED"]);
  }
  expect(await called.optimizer.metrics()).toEqual(metrics);
  called.optimizer.swap();
  called.optimizer.fillCopies();
  expect(await traceOf(called)).toEqual(await traceOf(untouched));
  expect(metrics).toEqual(expect.objectContaining({ globalNorm: expect.any(Number) as number }));
});
