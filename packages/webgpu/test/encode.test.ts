import { adam, createOptimizer, type Optimizer, type Tensor } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { maxUnsubmittedSteps } from "../src/planning/dispatch/delayed-destruction.js";
import { maxInputPlans } from "../src/planning/step/step-plan.js";
import { describe, newBackend, newDevice } from "./gpu.js";
import { Random } from "./random.js";

interface Run {
  readonly optimizer: Optimizer<"learningRate">;
  readonly gradients: Record<string, Tensor>;
  readonly parameters: Record<string, Tensor>;
  readonly device: GPUDevice;
}

async function start(): Promise<Run> {
  const backend = await newBackend();
  const random = new Random(3);
  const parameters = {
    w: backend.tensor([33], random.values(33)),
    b: backend.tensor([7], random.values(7)),
  };
  const optimizer = createOptimizer(adam({ learningRate: 0.01 }), parameters, {
    groups: [{ match: "b", learningRate: 0.1 }],
  });
  for (const name of optimizer.parameters)
    optimizer.gradient(name).write(random.values(optimizer.gradient(name).size));
  const gradients = { w: optimizer.gradient("w"), b: optimizer.gradient("b") };
  return { optimizer, gradients, parameters, device: backend.device };
}

async function bits({ optimizer, parameters }: Run): Promise<unknown> {
  const values = await Promise.all(Object.values(parameters).map((tensor) => tensor.read()));
  return { values, state: await optimizer.state() };
}

describe("encode", () => {
  test("ten steps in one command buffer give the bits of ten submits", async () => {
    const one = await start();
    for (let i = 0; i < 10; i += 1) {
      one.optimizer.learningRate = 0.01 / (i + 1);
      one.optimizer.step(one.gradients);
    }
    const expected = await bits(one);

    const passes = await start();
    const encoder = passes.device.createCommandEncoder();
    for (let i = 0; i < 10; i += 1) {
      passes.optimizer.learningRate = 0.01 / (i + 1);
      passes.optimizer.encode(encoder, passes.gradients);
    }
    passes.device.queue.submit([encoder.finish()]);
    expect(await bits(passes)).toEqual(expected);

    const single = await start();
    const own = single.device.createCommandEncoder();
    const pass = own.beginComputePass();
    for (let i = 0; i < 10; i += 1) {
      single.optimizer.learningRate = 0.01 / (i + 1);
      single.optimizer.encode(pass, single.gradients);
    }
    pass.end();
    // Submitted late: each step has its own scalars.
    const command = own.finish();
    single.device.queue.submit([command]);
    expect(await bits(single)).toEqual(expected);
  });

  test("encode and step may alternate", async () => {
    const one = await start();
    for (let i = 0; i < 6; i += 1) one.optimizer.step(one.gradients);
    const other = await start();
    for (let i = 0; i < 3; i += 1) {
      const encoder = other.device.createCommandEncoder();
      other.optimizer.encode(encoder, other.gradients);
      other.device.queue.submit([encoder.finish()]);
      other.optimizer.step(other.gradients);
    }
    expect(await bits(other)).toEqual(await bits(one));
  });

  test("nothing changes before the caller submits", async () => {
    const run = await start();
    const before = await run.parameters.w.read();
    const encoder = run.device.createCommandEncoder();
    run.optimizer.encode(encoder, run.gradients);
    expect(run.optimizer.iterations).toBe(1);
    expect(await run.parameters.w.read()).toEqual(before);
    run.device.queue.submit([encoder.finish()]);
    expect(await run.parameters.w.read()).not.toEqual(before);
  });

  test("more sets of gradients in one encoder than are remembered", async () => {
    const run = async (encoded: boolean): Promise<unknown> => {
      const backend = await newBackend();
      const random = new Random(8);
      const w = backend.tensor([9], random.values(9));
      const optimizer = createOptimizer(adam({ learningRate: 0.01 }), { w });
      const encoder = backend.device.createCommandEncoder();
      for (let i = 0; i < maxInputPlans + 8; i += 1) {
        const gradient = backend.tensor([9], random.values(9));
        if (encoded) optimizer.encode(encoder, { w: gradient });
        else optimizer.step({ w: gradient });
      }
      if (encoded) backend.device.queue.submit([encoder.finish()]);
      return { w: await w.read(), state: await optimizer.state() };
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test("targets and arrays that cannot be encoded are refused, and no step is counted", async () => {
    const run = await start();
    const encoder = run.device.createCommandEncoder();
    expect(() => run.optimizer.encode({}, run.gradients)).toThrow("GPUCommandEncoder");
    expect(() => run.optimizer.encode(encoder, { w: new Float32Array(33) })).toThrow(
      "expected a tensor",
    );
    expect(run.optimizer.iterations).toBe(0);
    for (let i = 0; i < maxUnsubmittedSteps; i += 1) run.optimizer.encode(encoder, run.gradients);
    expect(() => run.optimizer.encode(encoder, run.gradients)).toThrow("expected 256 at most");
    expect(run.optimizer.iterations).toBe(maxUnsubmittedSteps);

    const backend = cpuJs();
    const host = createOptimizer(adam(), { w: backend.tensor([2]) });
    expect(() => host.encode(encoder, { w: backend.tensor([2]) })).toThrow("use step()");
  });

  test("a lost device is a typed error", async () => {
    const device = await newDevice();
    const backend = webgpu({ device });
    const optimizer = createOptimizer(adam(), { w: backend.tensor([2]) });
    const encoder = device.createCommandEncoder();
    const gradients = { w: optimizer.gradient("w") };
    device.destroy();
    await device.lost;
    expect(() => optimizer.encode(encoder, gradients)).toThrow("The GPU device is lost");
    expect(optimizer.iterations).toBe(0);
  });
});
