import { createOptimizer } from "@gradstep/core";
import { fromTorch } from "@gradstep/core/interop";
import { reference } from "@gradstep/core/reference";
import { expect, test } from "vitest";
import { readTorch, writeTorch } from "../../src/bridges/torch/index.js";

test.each<[string, Readonly<Record<string, unknown>>]>([
  ["Adam", { amsgrad: true, maximize: true }],
  ["SGD", { nesterov: true, momentum: 0.8 }],
  ["RMSprop", { centered: true, lr: 0.5 }],
  ["NAdam", { decoupled_weight_decay: true, weight_decay: 0.1 }],
])("%s with a group that differs in %o goes on from a file, bit for bit", async (name, own) => {
  const gradients = { w: Float32Array.of(0.5, -2), b: Float32Array.of(0.25) };
  const start = (spec: ReturnType<typeof fromTorch>, w: Float32Array, b: Float32Array) => {
    const backend = reference();
    const parameters = { w: backend.tensor([2], w), b: backend.tensor([1], b) };
    return { parameters, optimizer: createOptimizer(spec, parameters) };
  };
  const groups = [{ parameters: ["b"], ...own }];
  const run = start(fromTorch(name, { groups }), Float32Array.of(1, -1), Float32Array.of(3));
  for (let i = 0; i < 3; i += 1) run.optimizer.step(gradients);
  const source = {
    config: run.optimizer.config(),
    state: await run.optimizer.state(),
    parameters: {
      w: { shape: [2], values: await run.parameters.w.read() },
      b: { shape: [1], values: await run.parameters.b.read() },
    },
  };
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTorch(source)) chunks.push(chunk);
  const { spec, state, parameters } = await readTorch(Buffer.concat(chunks));
  expect(spec.groups[0].rule?.rule).toBe(spec.rule);
  const [w, b] = [parameters.w.values, parameters.b.values] as Float32Array[];
  const again = start(spec, w, b);
  again.optimizer.restore(state);
  for (const { optimizer } of [run, again])
    for (let i = 0; i < 3; i += 1) optimizer.step(gradients);
  for (const key of ["w", "b"] as const)
    expect(await again.parameters[key].read()).toEqual(await run.parameters[key].read());
});
