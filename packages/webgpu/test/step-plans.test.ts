// Which plan a step uses, and when plans are destroyed: with devices that execute nothing.
import { adam, createOptimizer, GradstepError, sgd, type Update } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { ErrorTracker } from "../src/device/error-tracker.js";
import { maxUnsubmittedSteps } from "../src/planning/dispatch/delayed-destruction.js";
import { RowLists } from "../src/planning/rows/row-lists.js";
import { ScratchLayout } from "../src/planning/run/scratch-layout.js";
import { StepMemory } from "../src/planning/step/step-memory.js";
import { StepPlan, type StepRun } from "../src/planning/step/step-plan.js";
import { maxStepPlans } from "../src/planning/step/step-plans.js";
import { WebGpuKernel } from "../src/webgpu-kernel.js";
import { recordingDevice } from "./recording-device.js";

const tensor = { size: 4, shape: [4], whenInvalidated: () => () => {} };

function updateOf(changes: object = {}): Update {
  const plain = { parameter: tensor, gradient: tensor, slots: [], copies: [] };
  return { ...plain, ...changes } as unknown as Update;
}

test("a plan is for its kernels and updates, in their order, and for no others", () => {
  const { device } = recordingDevice();
  const errors = new ErrorTracker(device);
  const [first, second] = [sgd(), adam()].map(
    ({ rule, options }) => new WebGpuKernel(device, errors, rule.variant(options)),
  );
  const [a, b, c] = [updateOf(), updateOf(), updateOf()];
  const runOf = (kernel: WebGpuKernel, ...updates: readonly Update[]): StepRun => ({
    kernel,
    updates,
    count: updates.length,
  });
  const plan = new StepPlan({ device, errors }, [runOf(first, a, b), runOf(second, c)]);
  expect(plan.matches([runOf(first, a, b), runOf(second, c)])).toBe(true);
  for (const other of [
    [runOf(first, a, b)],
    [runOf(first, a, b), runOf(second, c), runOf(second, c)],
    [runOf(first, a), runOf(second, c)],
    [runOf(first, a, b, c), runOf(second, c)],
    [runOf(first, a, c), runOf(second, c)],
    [runOf(first, b, a), runOf(second, c)],
    [runOf(first, a, b), runOf(first, c)],
  ])
    expect(plan.matches(other)).toBe(false);
});

test("steps whose constants differ have memory of their own for what they reduce", () => {
  const { device } = recordingDevice();
  const memory = new StepMemory(device, new ErrorTracker(device), "test");
  const bufferFor = (constant: number): GPUBuffer => {
    const layout = new ScratchLayout();
    layout.constant(constant);
    return memory.scratchFor(layout)!;
  };
  const first = bufferFor(3);
  expect(bufferFor(4)).not.toBe(first);
  expect(bufferFor(3)).toBe(first);
});

test("lists belong in the buffer of an earlier one if it is as long, with as many sets of the same counts", () => {
  const { device } = recordingDevice();
  const [counts, others] = [{}, {}];
  const rowsOf = (end: number, scalars?: object): object => ({ start: 0, end, scalars });
  const matches = (known: object, current: object): boolean => {
    const update = updateOf({ rows: known, scalars: new Float64Array(2), unselectedRows: "keep" });
    return new RowLists(device, "test", [update]).matches(0, updateOf({ rows: current }));
  };
  expect(matches(rowsOf(10), rowsOf(64))).toBe(true);
  expect(matches(rowsOf(10), rowsOf(65))).toBe(false);
  expect(matches(rowsOf(65), rowsOf(10))).toBe(false);
  const scalars = { counts, setCount: 10 };
  expect(matches(rowsOf(10, scalars), rowsOf(10, { counts, setCount: 64 }))).toBe(true);
  expect(matches(rowsOf(10, scalars), rowsOf(10, { counts, setCount: 65 }))).toBe(false);
  expect(matches(rowsOf(10, scalars), rowsOf(10, { counts: others, setCount: 10 }))).toBe(false);
  expect(matches(rowsOf(10, scalars), rowsOf(10))).toBe(false);
  expect(matches(rowsOf(10), rowsOf(10, scalars))).toBe(false);
});

test("after a gradient was freed, one in the same memory is not updated by what was destroyed", () => {
  const { device } = recordingDevice();
  const backend = webgpu({ device });
  const w = backend.tensor([4]);
  const optimizer = createOptimizer(sgd(), { w });
  for (let step = 0; step < 3; step += 1) {
    const gradient = backend.tensor([4]);
    optimizer.step({ w: gradient });
    gradient.free();
  }
  expect(optimizer.iterations).toBe(3);
  backend.dispose();
});

test("a step with any gradient that has lost its values is refused", () => {
  const { device } = recordingDevice();
  const backend = webgpu({ device });
  const [a, b] = [backend.tensor([4]), backend.tensor([4])];
  const optimizer = createOptimizer(sgd(), { a, b });
  const gradients = { a: backend.tensor([4]), b: backend.tensor([4]) };
  optimizer.step(gradients);
  const failed = gradients.b as unknown as { fail(error: GradstepError): void };
  failed.fail(new GradstepError("lost", { code: "OUT_OF_MEMORY" }));
  expect(() => optimizer.step(gradients)).toThrow("lost");
  expect(optimizer.iterations).toBe(1);
});

test("steps, a remap and further steps in one encoder can be submitted", () => {
  const { device } = recordingDevice();
  const backend = webgpu({ device });
  const w = backend.tensor([4, 2]);
  const optimizer = createOptimizer(adam(), { w });
  optimizer.step({ w: backend.tensor([4, 2]) });
  const encoder = device.createCommandEncoder();
  optimizer.encode(encoder, { w: backend.tensor([4, 2]) });
  optimizer.rows().encodeRemap(encoder, Uint32Array.of(3, 1));
  optimizer.encode(encoder, { w: backend.tensor([2, 2]) });
  device.queue.submit([encoder.finish()]);
  expect(optimizer.iterations).toBe(3);
  backend.dispose();
});

test("plans of recorded steps on parameters that are no longer used are destroyed after further steps", () => {
  const { device, counts } = recordingDevice();
  const backend = webgpu({ device });
  const { rule, options } = sgd();
  const variant = rule.variant(options);
  const kernel = backend.compile(variant);
  const [parameter, gradient] = [backend.tensor([4]), backend.tensor([4])];
  const encode = (): void => {
    const scalars = new Float64Array(variant.scalars.length);
    const update = updateOf({ parameter, gradient, scalars, unselectedRows: "keep" });
    const encoder = device.createCommandEncoder();
    kernel.encode!(encoder, [update], 1);
    device.queue.submit([encoder.finish()]);
  };
  const kept = maxStepPlans + maxUnsubmittedSteps + 1;
  for (let step = 0; step < kept; step += 1) encode();
  const { bytes } = counts;
  for (let step = 0; step < 10; step += 1) encode();
  expect(counts.bytes).toBe(bytes);
  backend.dispose();
});
