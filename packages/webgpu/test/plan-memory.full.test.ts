import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  muon,
  sgd,
  type Optimizer,
  type OptimizerSpec,
  type Tensor,
} from "@gradstep/core";
import { webgpu, type WebGpu, type WebGpuTensor } from "@gradstep/webgpu";
import { describe, expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { maxUnsubmittedSteps } from "../src/planning/dispatch/delayed-destruction.js";
import { maxInputPlans } from "../src/planning/step/step-plan.js";
import { Random } from "./random.js";
import { recordingDevice, type DeviceCounts } from "./recording-device.js";

const usage = 0x8c;
const values = 16;
/** Steps after which nothing more is made or destroyed because the last ones are kept. */
const warmUp = 2 * maxUnsubmittedSteps;

type Step = (gradients: Record<string, Tensor>) => void;

interface Trainer {
  readonly backend: WebGpu;
  readonly counts: DeviceCounts;
  readonly names: readonly string[];
  readonly steps: Readonly<Record<"step" | "encode", Step>>;
  readonly optimizer: Optimizer<"learningRate">;
  readonly buffers: () => GPUBuffer[];
  readonly wrapped: (buffers: readonly GPUBuffer[]) => Record<string, WebGpuTensor>;
}

/** A model with one buffer per parameter. */
function trainer(count: number, rule: OptimizerSpec<"learningRate"> = adam()): Trainer {
  const { device, counts } = recordingDevice();
  const backend = webgpu({ device });
  const names = Array.from({ length: count }, (_, i) => `p${i}`);
  const buffers = (): GPUBuffer[] =>
    names.map(() => device.createBuffer({ size: values * 4, usage }));
  const wrapped = (all: readonly GPUBuffer[]): Record<string, WebGpuTensor> =>
    Object.fromEntries(all.map((one, i) => [names[i], backend.wrap(one, { shape: [4, 4] })]));
  const optimizer = createOptimizer(rule, wrapped(buffers()));
  const encode: Step = (gradients) => {
    const encoder = device.createCommandEncoder();
    optimizer.encode(encoder, gradients);
    device.queue.submit([encoder.finish()]);
  };
  const step: Step = (gradients) => optimizer.step(gradients);
  return { backend, counts, names, optimizer, buffers, wrapped, steps: { step, encode } };
}

/** What steps make. */
function made(counts: DeviceCounts, work: () => void): DeviceCounts {
  const before = { ...counts };
  work();
  return Object.fromEntries(
    Object.entries(counts).map(([key, count]) => [key, count - before[key as keyof DeviceCounts]]),
  ) as unknown as DeviceCounts;
}

const none = { buffersMade: 0, buffersDestroyed: 0, bindGroupsMade: 0 };

describe.each(["step", "encode"] as const)("the memory of plans, with %s", (kind) => {
  test("gradients that are wrapped again for each step: nothing is made, and little written", () => {
    const { counts, steps, buffers, wrapped } = trainer(180);
    const gradients = buffers();
    const go = (): void => steps[kind](wrapped(gradients));
    for (let i = 0; i < warmUp; i += 1) go();
    const count = cases(10_000, 100);
    const run = made(counts, () => {
      for (let i = 0; i < count; i += 1) go();
    });
    expect(run).toMatchObject({ ...none, bytes: 0, submits: count });
    // The scalars of 16 steps at once, with two writes in place of one at the end of the ring.
    expect(run.writes).toBeLessThan((count / 16) * 1.1 + 2);
  });

  test.each([2, 33, 64, maxInputPlans])(
    "%i sets of gradients by turns: nothing is made",
    (count) => {
      const { counts, steps, buffers, wrapped } = trainer(10);
      const sets = Array.from({ length: count }, buffers);
      const go = (turns: number): void => {
        for (let i = 0; i < turns; i += 1) for (const one of sets) steps[kind](wrapped(one));
      };
      go(Math.ceil(warmUp / count) + 1);
      expect(made(counts, () => go(3))).toMatchObject(none);
    },
  );

  test("a pool of buffers in any combination: no buffer is made, and bind groups for what is new", () => {
    const { counts, steps, buffers, wrapped, names } = trainer(10);
    const pool = Array.from({ length: 4 }, buffers);
    const random = new Random(seed);
    const go = (turns: number): void => {
      for (let i = 0; i < turns; i += 1)
        steps[kind](wrapped(names.map((_, k) => pool[random.below(pool.length)][k])));
    };
    go(warmUp);
    const turns = cases(2000, 100);
    const run = made(counts, () => go(turns));
    expect(run).toMatchObject({ buffersMade: 0, buffersDestroyed: 0 });
    expect(run.bindGroupsMade).toBeLessThan(turns);
  });

  test("one new buffer among many is one new bind group", () => {
    const { counts, steps, buffers, wrapped } = trainer(50);
    const [first, second] = [buffers(), buffers()];
    for (let i = 0; i < warmUp; i += 1) steps[kind](wrapped(first));
    const run = made(counts, () => steps[kind](wrapped([second[0], ...first.slice(1)])));
    expect(run).toMatchObject({ buffersMade: 0, bindGroupsMade: 1 });
  });

  test.each([
    ["adam", adam()],
    ["a chain with a global norm", chain(clipByGlobalNorm(1), adam())],
    ["muon", muon()],
  ])(
    "gradients at another offset in each step, with %s: as much is destroyed as is made",
    (_, rule) => {
      const { backend, counts, steps, names, optimizer } = trainer(2, rule);
      const all = backend.device.createBuffer({ size: 2 ** 20, usage });
      let next = 0;
      const go = (turns: number): void => {
        for (let i = 0; i < turns; i += 1) {
          const tensors = names.map((name) => {
            next += 4 + values;
            return [name, backend.wrap(all, { shape: [4, 4], offset: next })] as const;
          });
          optimizer.learningRate = 1 / next;
          steps[kind](Object.fromEntries(tensors));
        }
      };
      go(maxInputPlans + warmUp);
      const run = made(counts, () => go(cases(300, 50)));
      expect(run.buffersDestroyed).toBe(run.buffersMade);
      expect(run.bytes).toBe(0);
    },
  );

  test("gradients in new buffers for each step: nothing but them is made", () => {
    const { counts, steps, buffers, wrapped, names } = trainer(10);
    const go = (turns: number): void => {
      for (let i = 0; i < turns; i += 1) {
        const own = buffers();
        steps[kind](wrapped(own));
        for (const one of own) one.destroy();
      }
    };
    go(maxInputPlans + warmUp);
    const made300 = 300 * names.length;
    expect(made(counts, () => go(300))).toMatchObject({
      buffersMade: made300,
      buffersDestroyed: made300,
      bytes: 0,
    });
  });
});

describe.each(["step", "encode"] as const)("the scalars of a step, with %s", (kind) => {
  test("are written if they are not those of the step before", () => {
    const { counts, steps, buffers, wrapped, optimizer } = trainer(3, sgd({ learningRate: 0.5 }));
    const [first, second] = [wrapped(buffers()), wrapped(buffers())];
    const writes = (rates: readonly number[]): number =>
      made(counts, () => {
        for (const rate of rates) {
          optimizer.learningRate = rate;
          steps[kind](rate > 1 ? second : first);
        }
      }).writes;
    writes([0.5, 1.5]);
    expect(writes([0.25, 0.25, 0.25])).toBe(1);
    expect(writes([0.25, 0.5, 0.25])).toBe(2);
    expect(writes([0.5, 0.25, 1.5, 1.5])).toBe(3);
    expect(writes([1.5, -0, 0])).toBe(2);
  });
});

describe("recorded steps", () => {
  test("the first steps need little memory", () => {
    const { counts, steps, buffers, wrapped } = trainer(180);
    const gradients = buffers();
    steps.encode(wrapped(gradients));
    const before = counts.bytes;
    for (let i = 0; i < 3; i += 1) steps.encode(wrapped(gradients));
    expect(counts.bytes).toBe(before);
    const parametersAndGradients = 2 * 180 * values * 4;
    const slots = 2 * 2 ** 20;
    expect(before - parametersAndGradients - slots).toBeLessThan(10_000);
  });

  test(`random steps, submitted late in any order: no scalars are lost, no buffer is destroyed early (seed ${seed})`, () => {
    const random = new Random(seed);
    for (let round = 0; round < cases(100, 10); round += 1) {
      const { device, counts } = recordingDevice();
      const backend = webgpu({ device });
      const buffer = (): GPUBuffer => device.createBuffer({ size: 64, usage });
      const optimizers = Array.from({ length: 1 + random.below(3) }, () => {
        const p = backend.wrap(buffer());
        const rule: OptimizerSpec<"learningRate"> = random.below(2) === 0 ? adam() : sgd();
        return createOptimizer(rule, { p });
      });
      // Tables differ with the offset from a multiple of 256 bytes.
      const gradients = Array.from({ length: 1 + random.below(2 * maxInputPlans) }, (_, k) => ({
        memory: device.createBuffer({ size: 1024, usage }),
        options: { shape: [16], offset: k % 64 },
      }));
      const unsubmitted: GPUCommandEncoder[] = [];
      let steps = 0;
      for (let i = 0; i < 1500; i += 1) {
        const optimizer = optimizers[random.below(optimizers.length)];
        if (random.below(3) === 0) optimizer.learningRate = 0.1 / (i + 1);
        const { memory, options } = gradients[random.below(gradients.length)];
        const p = backend.wrap(memory, options);
        const choice = random.below(10);
        if (choice < 3) optimizer.step({ p });
        else if (steps < maxUnsubmittedSteps) {
          if (unsubmitted.length === 0 || random.below(3) === 0)
            unsubmitted.push(device.createCommandEncoder());
          optimizer.encode(unsubmitted[random.below(unsubmitted.length)], { p });
          steps += 1;
        } else {
          unsubmitted.sort(() => random.below(3) - 1);
          device.queue.submit(unsubmitted.splice(0).map((one) => one.finish()));
          steps = 0;
        }
      }
      device.queue.submit(unsubmitted.map((one) => one.finish()));
      const own = gradients.length + optimizers.length;
      backend.dispose();
      // What is left are the caller's buffers.
      expect(counts.buffersMade - counts.buffersDestroyed).toBe(own);
    }
  });
});
