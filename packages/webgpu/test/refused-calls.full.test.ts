import {
  adam,
  ademamix,
  cautiousUpdate,
  chain,
  createOptimizer,
  lookahead,
  type Gradients,
  type Optimizer,
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

async function start(): Promise<Run> {
  const backend = await newBackend();
  const tensors = { w: backend.tensor([3], [1, -2, 3]), c: backend.tensor([3], [0.5, 2, -1]) };
  const optimizer = createOptimizer(adam(), tensors, { groups: [{ match: "c", rule: large }] });
  optimizer.step(good);
  return { tensors, optimizer };
}

/** What the next steps depend on. */
async function dataOf({ tensors, optimizer }: Run): Promise<unknown> {
  const [w, c] = await Promise.all([tensors.w.read(), tensors.c.read()]);
  return { w, c, state: await optimizer.state() };
}

const refusal = expect.objectContaining({ code: "UNSUPPORTED" }) as Error;

describe("a step that the device refuses in the second of two groups", () => {
  test("has changed nothing", async () => {
    const [refused, untouched] = await Promise.all([start(), start()]);
    expect(() => refused.optimizer.step(good, masked)).toThrow(refusal);
    for (const { optimizer } of [refused, untouched]) optimizer.step(good);
    expect(await dataOf(refused)).toEqual(await dataOf(untouched));
  });
});
