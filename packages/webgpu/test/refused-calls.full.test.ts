import {
  adam,
  ademamix,
  cautiousUpdate,
  chain,
  createOptimizer,
  lookahead,
  type Gradients,
  type Optimizer,
  type OptimizerOptions,
  type StepOptions,
  type Tensor,
} from "@gradstep/core";
import { expect, test } from "vitest";
import { describe, newBackend } from "./gpu.js";

/** With a mask, it needs more storage buffers in a shader than a default device allows. */
const large = chain(ademamix({ learningRate: 0.1 }), cautiousUpdate(), lookahead());

const masked: StepOptions = { rows: { c: Uint32Array.of(1, 1, 0) } };
const good: Gradients = { w: Float32Array.of(0.5, 1, -1), c: Float32Array.of(2, 0.25, 1) };

interface Run {
  readonly tensors: Readonly<Record<"w" | "c", Tensor>>;
  readonly optimizer: Optimizer;
}

async function start(options: OptimizerOptions, every: number, steps: number): Promise<Run> {
  const backend = await newBackend();
  const tensors = { w: backend.tensor([3], [1, -2, 3]), c: backend.tensor([3], [0.5, 2, -1]) };
  const groups = [{ match: "c", rule: large, every }];
  const optimizer = createOptimizer(adam(), tensors, { ...options, groups });
  for (let i = 0; i < steps; i += 1) optimizer.step(good);
  return { tensors, optimizer };
}

/** What the next steps depend on. */
async function dataOf({ tensors, optimizer }: Run): Promise<unknown> {
  const [w, c] = await Promise.all([tensors.w.read(), tensors.c.read()]);
  return { w, c, microSteps: optimizer.microSteps, state: await optimizer.state() };
}

const refusal = expect.objectContaining({ code: "UNSUPPORTED" }) as Error;

/** A sparse gradient, which selects rows itself. */
const lazy: OptimizerOptions = { sparse: "lazy" };
const sparse: Gradients = {
  w: good.w,
  c: { indices: Uint32Array.of(2, 0), values: Float32Array.of(2, 0.25) },
};

interface Case {
  /** Those of the last call, if not a mask. */
  readonly gradients?: Gradients;
  readonly options: OptimizerOptions;
  readonly every?: number;
  /** Calls that are taken before the one that is refused. */
  readonly calls: number;
}

describe("a call whose selection of rows the device refuses", () => {
  test.each<[string, Case]>([
    ["for the second of two groups", { options: {}, calls: 1 }],
    ["as the first call of all", { options: {}, calls: 0 }],
    ["when it begins a sum", { options: { accumulate: 2 }, calls: 2 }],
    ["when it completes a sum", { options: { accumulate: 2 }, calls: 3 }],
    [
      "when it completes a sum that the device checks",
      { options: { accumulate: 2, nonFinite: "skip" }, calls: 3 },
    ],
    ["with a loss scale", { options: { lossScale: { initial: 8 } }, calls: 1 }],
    ["in a later possible step", { options: { nonFinite: "skip" }, every: 2, calls: 2 }],
    [
      "in a later possible step, with a loss scale",
      { options: { lossScale: { initial: 8 } }, every: 2, calls: 2 },
    ],
    ["for a sparse gradient", { options: lazy, gradients: sparse, calls: 1 }],
    [
      "for a sparse gradient in a sum",
      { options: { ...lazy, accumulate: 2 }, gradients: sparse, calls: 3 },
    ],
    [
      "in a later possible step of a sum",
      { options: { accumulate: 2, nonFinite: "skip" }, every: 2, calls: 5 },
    ],
  ])("%s has changed nothing", async (_, { options, every = 1, calls, gradients }) => {
    const [refused, untouched] = await Promise.all([
      start(options, every, calls),
      start(options, every, calls),
    ]);
    const step = (): void =>
      gradients === undefined
        ? refused.optimizer.step(good, masked)
        : refused.optimizer.step(gradients);
    expect(step).toThrow(refusal);
    for (const { optimizer } of [refused, untouched]) optimizer.step(good);
    expect(await dataOf(refused)).toEqual(await dataOf(untouched));
  });
});
