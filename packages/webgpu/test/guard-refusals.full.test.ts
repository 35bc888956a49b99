import {
  adam,
  ademamix,
  cautiousUpdate,
  chain,
  createOptimizer,
  lookahead,
  type Optimizer,
  type OptimizerOptions,
  type Tensor,
} from "@gradstep/core";
import { expect, test } from "vitest";
import { describe, newBackend } from "./gpu.js";

/** A pass of it binds p, g, four slots, a sum and tables: with a mask, more arrays than a default device allows. */
const spec = chain(ademamix({ learningRate: 0.1 }), cautiousUpdate(), lookahead());

const gradients = [Float32Array.of(0.5, 1, -1), Float32Array.of(2, 0.25, 1)];
const notFinite = Float32Array.of(Number.NaN, Infinity, 1);
const rows = Uint32Array.of(1, 1, 0);

interface Run {
  readonly tensors: Readonly<Record<"w" | "c", Tensor>>;
  readonly optimizer: Optimizer;
}

/** After a step without "c": the host does not know whether the device has taken it, and what takes part in the next. */
async function start(options: OptimizerOptions): Promise<Run> {
  const backend = await newBackend();
  const tensors = { w: backend.tensor([3], [1, -2, 3]), c: backend.tensor([3], [0.5, 2, -1]) };
  const groups = [{ match: "c", rule: spec, every: 2 }];
  const optimizer = createOptimizer(adam(), tensors, { ...options, groups });
  optimizer.step({ w: gradients[0], c: gradients[1] });
  return { tensors, optimizer };
}

/** What the next steps depend on. */
async function dataOf({ tensors, optimizer }: Run): Promise<unknown> {
  const [w, c] = await Promise.all([tensors.w.read(), tensors.c.read()]);
  return { w, c, state: await optimizer.state() };
}

const refusal = expect.objectContaining({ code: "UNSUPPORTED" }) as Error;

describe("a step that is refused after its gradients were checked", () => {
  test.each<[string, OptimizerOptions]>([
    ["skipped steps", { nonFinite: "skip" }],
    ["a stop", { nonFinite: "throw" }],
    ["a loss scale", { lossScale: { initial: 8 } }],
  ])("changes nothing, with %s", async (_, options) => {
    const [refused, untouched] = [await start(options), await start(options)];
    const step = (): void =>
      refused.optimizer.step({ w: gradients[1], c: notFinite }, { rows: { c: rows } });
    expect(step).toThrow(refusal);
    for (const { optimizer } of [refused, untouched])
      optimizer.step({ w: gradients[1], c: gradients[0] });
    expect(await dataOf(refused)).toEqual(await dataOf(untouched));
    expect([refused.optimizer.iterations, refused.optimizer.skippedSteps]).toEqual([2, 0]);
  });
});
