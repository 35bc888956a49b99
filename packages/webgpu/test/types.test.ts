import {
  adam,
  createOptimizer,
  type Optimizer,
  type OptimizerMethods,
  type Tensor,
} from "@gradstep/core";
import type { cpuJs } from "@gradstep/cpu-js";
import type { EncodeTarget, WebGpu, WebGpuTensor } from "@gradstep/webgpu";
import { describe, expectTypeOf, test } from "vitest";

// Checked by tsc alone: the functions are not called.
describe("types", () => {
  test("the memory of tensors is a GPUBuffer, wherever they come from", () => {
    const optimizerOf = (backend: WebGpu, buffer: GPUBuffer) =>
      createOptimizer(
        adam(),
        { w: backend.tensor([2]), b: backend.wrap(buffer) },
        { lossScale: "dynamic", groups: [{ match: "b", learningRate: 0.1 }] },
      );
    type OfGpu = ReturnType<typeof optimizerOf>;
    expectTypeOf<ReturnType<OfGpu["gradient"]>>().toEqualTypeOf<WebGpuTensor>();
    expectTypeOf<OfGpu["lossScaleTensor"]>().toEqualTypeOf<WebGpuTensor | undefined>();
    expectTypeOf<WebGpuTensor["memory"]["buffer"]>().toEqualTypeOf<GPUBuffer>();
    expectTypeOf<WebGpuTensor["backend"]["device"]>().toEqualTypeOf<GPUDevice>();
  });

  test("encode takes an encoder or a compute pass", () => {
    type Target = Parameters<Optimizer<"learningRate", WebGpuTensor>["encode"]>[0];
    expectTypeOf<Target>().toEqualTypeOf<EncodeTarget>();
    expectTypeOf((backend: WebGpu, pass: GPURenderPassEncoder, bundle: GPUComputePassEncoder) => {
      const w = backend.tensor([2]);
      const optimizer = createOptimizer(adam(), { w });
      optimizer.encode(backend.device.createCommandEncoder(), { w });
      optimizer.encode(bundle, { w });
      // @ts-expect-error: a device is no encoder.
      optimizer.encode(backend.device, { w });
      // @ts-expect-error: a render pass cannot dispatch.
      optimizer.encode(pass, { w });
      // @ts-expect-error: nothing to record into.
      optimizer.encode({}, { w });
    }).toBeFunction();
  });

  test("optimizers of webgpu are optimizers of any backend", () => {
    type Methods = OptimizerMethods<"learningRate", WebGpuTensor>;
    expectTypeOf<Methods>().toExtend<OptimizerMethods<string>>();
    expectTypeOf<Optimizer["encode"]>().parameter(0).toEqualTypeOf<object>();
    type OnHost = Optimizer<"learningRate", ReturnType<ReturnType<typeof cpuJs>["tensor"]>>;
    expectTypeOf<OnHost["encode"]>().parameter(0).toEqualTypeOf<object>();
    expectTypeOf<WebGpuTensor>().toExtend<Tensor>();
  });

  test("names of parameters are known, unless the parameters are not", () => {
    expectTypeOf((backend: WebGpu, byName: Record<string, WebGpuTensor>) => {
      const w = backend.tensor([2]);
      const optimizer = createOptimizer(adam(), { w }, { lossScale: 2 });
      optimizer.step({ w });
      optimizer.step(byName);
      // @ts-expect-error: no parameter has this name.
      optimizer.step({ q: w });
      // @ts-expect-error: no parameter has this name.
      optimizer.gradient("q");
      // @ts-expect-error: no parameter has this name.
      optimizer.reset(["w", "q"]);
      const grown = optimizer.add({ late: w });
      grown.step({ w, late: w });
      grown.learningRate = grown.gradient("late").memory.buffer.size;
      createOptimizer(adam(), byName).step({ q: w });
      const empty = createOptimizer(adam(), {});
      empty.add({ w });
      empty.step({ w });
    }).toBeFunction();
    type OfOne = Optimizer<"learningRate", WebGpuTensor, never, "w">;
    expectTypeOf<OfOne["parameters"]>().toEqualTypeOf<readonly "w"[]>();
    expectTypeOf<OfOne>().toExtend<Optimizer<"learningRate", WebGpuTensor>>();
    expectTypeOf<OfOne>().toExtend<OptimizerMethods<string>>();
  });
});
