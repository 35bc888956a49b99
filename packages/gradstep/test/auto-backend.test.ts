import { expect, test, vi } from "vitest";
import { adam, autoBackend, createOptimizer } from "../src/index.js";

test("autoBackend gives a backend that takes the first step of Adam", async () => {
  const backend = await autoBackend();
  const parameter = backend.tensor([2], [1, -1]);
  const optimizer = createOptimizer(adam({ learningRate: 0.5, epsilon: 0 }), { parameter });
  optimizer.step({ parameter: new Float32Array([3, -4]) });
  // The first step of Adam is the rate, against the sign of the gradient.
  expect([...(await parameter.read())]).toEqual([expect.closeTo(0.5, 6), expect.closeTo(-0.5, 6)]);
});

test("it is wasm where there is SIMD, and cpu-js where that must not be compiled", async () => {
  expect((await autoBackend()).name).toBe("wasm");
  const compile = vi.spyOn(WebAssembly, "Module").mockImplementation(function () {
    throw new WebAssembly.CompileError("Wasm code generation disallowed by embedder");
  });
  expect((await autoBackend()).name).toBe("cpu-js");
  compile.mockRestore();
  const validate = vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
  expect((await autoBackend()).name).toBe("cpu-js");
  validate.mockRestore();
});
