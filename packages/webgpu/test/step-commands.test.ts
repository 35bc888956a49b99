// What a step records, and where its signals are: with devices that execute nothing.
import type { Tensor } from "@gradstep/core";
import { expect, test } from "vitest";
import { BindGroups } from "../src/commands/bind-groups.js";
import { rangeOfSignal } from "../src/commands/signaled-commands.js";
import { StepCommands } from "../src/commands/step-commands.js";
import type { TabledDispatch } from "../src/planning/dispatch/dispatch.js";
import { ScalarRing } from "../src/planning/scalars/scalar-ring.js";
import { recordingDevice } from "./recording-device.js";

test("each dispatch has its own pipeline, also one that an earlier dispatch had", () => {
  const { device } = recordingDevice();
  const pipelines = ["a", "b", "a", "a"];
  const scalars = new Float64Array(1);
  const dispatches = pipelines.map((pipeline) => ({
    kernel: {
      bindGroupLayout: {},
      usesScratch: false,
      scalarSetLength: 16,
      compile: () => ({ pipeline, failure: undefined }),
    },
    bindings: [],
    tiles: 1,
    scalarSets: [scalars],
    tableRange: { buffer: device.createBuffer({ size: 4, usage: 0x80 }), offset: 0, size: 4 },
  })) as unknown as readonly TabledDispatch[];
  const commands = new StepCommands(
    device,
    { label: "test", updates: [], dispatches, scratch: undefined },
    new ScalarRing(device, "test", "UNIFORM"),
    new BindGroups(device, "test"),
  );
  let current: unknown;
  const dispatched: unknown[] = [];
  const pass = {
    setPipeline: (pipeline: unknown) => {
      current = pipeline;
    },
    setBindGroup: () => {},
    dispatchWorkgroups: () => dispatched.push(current),
  } as unknown as GPUComputePassEncoder;
  commands.record(pass, commands.writeScalars("backend", 1));
  expect(dispatched).toEqual(pipelines);
});

test("a signal at an offset that no binding can start at is a value inside of the binding", () => {
  const device = { limits: { minStorageBufferOffsetAlignment: 256 } } as unknown as GPUDevice;
  const buffer = {};
  const tensor = { memory: { buffer, byteOffset: 512 + 12 } } as unknown as Tensor;
  expect(rangeOfSignal(device, tensor)).toEqual({ buffer, offset: 512, size: 16, index: 3 });
});
