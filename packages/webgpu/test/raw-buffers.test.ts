import { adam, createOptimizer } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { bufferOf, describe, sharedDevice } from "./gpu.js";

describe("a GPUBuffer where a tensor is expected", async () => {
  const backend = webgpu({ device: await sharedDevice() });
  const buffer = bufferOf(backend.device, new Float32Array(6));
  const w = backend.tensor([2, 3]);
  const optimizer = createOptimizer(adam(), { w });
  const gradients = { w: backend.tensor([2, 3]) };
  const raw = buffer as never;

  test.each<[string, () => unknown, string]>([
    [
      "a gradient",
      () => optimizer.step({ w: raw }),
      'INVALID_GRADIENT: Gradient "w" is a GPUBuffer; expected a Float32Array, or a tensor of the parameter\'s webgpu backend. Make a tensor of it with backend.wrap(buffer, { shape: [2, 3] }).',
    ],
    [
      "a parameter",
      () => createOptimizer(adam(), { w: raw }),
      'INVALID_PARAMETER: Parameter "w" is a GPUBuffer; expected a tensor. Make a tensor of it with backend.wrap(buffer, { shape }).',
    ],
    [
      "the parameters",
      () => createOptimizer(adam(), raw),
      "INVALID_PARAMETER: Got a GPUBuffer as parameters; expected tensors by name, such as { kernel, bias }.",
    ],
    [
      "the gradients",
      () => optimizer.step(raw),
      "INVALID_GRADIENT: Got a GPUBuffer as gradients; expected arrays or tensors by parameter name, such as { kernel: gradient }.",
    ],
    [
      "a copy",
      () => createOptimizer(adam(), { w }, { copies: { w: raw } }),
      'INVALID_PARAMETER: The copy of "w" is a GPUBuffer; expected a tensor of f32 or f16 of the parameters\' backend, such as backend.wrap(buffer, { shape, dtype: "f16" }) on WebGPU.',
    ],
    [
      "the learning rate of a step",
      () => optimizer.step(gradients, { learningRate: raw }),
      "UNKNOWN_OPTION: learningRate is a GPUBuffer; expected a number, or a tensor of one f32 of the parameters' webgpu backend. Wrap its memory with shape: [1].",
    ],
    [
      "the mask of all parameters",
      () => optimizer.step(gradients, { rows: raw }),
      'UNKNOWN_OPTION: rows is a GPUBuffer; expected a Uint32Array with one value per row, or masks by the names of parameters. Make a tensor of it with backend.wrap(buffer, { shape, dtype: "u32" }).',
    ],
    [
      "the mask of one parameter",
      () => optimizer.step(gradients, { rows: { w: raw } }),
      'INVALID_MEMORY: The mask of "w" is a GPUBuffer; expected a Uint32Array, or a u32 tensor of the parameters\' webgpu backend. Make a tensor of it with backend.wrap(buffer, { shape: [2], dtype: "u32" }).',
    ],
    [
      "a mask that was wrapped without a type",
      () => optimizer.step(gradients, { rows: backend.wrap(buffer, { shape: [2] }) }),
      'INVALID_MEMORY: The mask of "w" is a tensor of f32; expected a Uint32Array, or a u32 tensor of the parameters\' webgpu backend. Wrap its memory with dtype: "u32".',
    ],
    [
      "the indices of a remap",
      () => optimizer.rows().remap(raw, { count: 2 }),
      'INVALID_MEMORY: indices is a GPUBuffer; expected a Uint32Array, or a u32 tensor of the parameters\' webgpu backend. Make a tensor of it with backend.wrap(buffer, { shape: [2], dtype: "u32" }).',
    ],
    [
      "the indices of a remap of the backend",
      () => backend.remap([{ tensor: w, reset: "added", initial: 0 }], { count: 2, indices: raw }),
      'INVALID_MEMORY: Got a mask or indices in a GPUBuffer; expected one u32 per row. Wrap the buffer with { shape: [rows], dtype: "u32" }.',
    ],
    [
      "a name in another case",
      () => optimizer.step({ W: gradients.w } as never),
      'UNKNOWN_PARAMETER: Got a gradient for W; the optimizer has w. Add parameters with optimizer.add(). Did you mean "w"?',
    ],
    [
      "a property with a typing error",
      () => Object.assign(optimizer, { learningRat: 1 }),
      'UNKNOWN_OPTION: There is no property "learningRat" to set; expected one of weightDecay, learningRate, beta1, beta2, epsilon, epsilonRoot. Did you mean "learningRate"?',
    ],
  ])("%s: the message says what to pass", (_, action, expected) => {
    let message = "no error";
    try {
      action();
    } catch (error) {
      message = `${(error as { code: string }).code}: ${(error as Error).message}`;
    }
    expect(message).toBe(expected);
    expect(optimizer.iterations).toBe(0);
  });
});
