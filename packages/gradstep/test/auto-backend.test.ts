import { nodeGpu } from "@gradstep/webgpu/node";
import { afterEach, expect, test, vi } from "vitest";
import { adam, autoBackend, createOptimizer } from "../src/index.js";

test("autoBackend gives a backend that takes the first step of Adam", async () => {
  const backend = await autoBackend();
  const parameter = backend.tensor([2], [1, -1]);
  const optimizer = createOptimizer(adam({ learningRate: 0.5, epsilon: 0 }), { parameter });
  optimizer.step({ parameter: new Float32Array([3, -4]) });
  // The first step of Adam is the rate, against the sign of the gradient.
  expect([...(await parameter.read())]).toEqual([expect.closeTo(0.5, 6), expect.closeTo(-0.5, 6)]);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

const hasGpu = await nodeGpu().then(
  () => true,
  () => false,
);

test.skipIf(!hasGpu)("where there is a GPU, it is taken", async () => {
  const { gpu } = await nodeGpu();
  // The adapter here is real, but for what it computes on.
  const requestAdapter = async (): Promise<unknown> => {
    const adapter = await gpu.requestAdapter();
    return new Proxy(adapter!, {
      get(target, key) {
        if (key === "info") return { isFallbackAdapter: false };
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  };
  vi.stubGlobal("navigator", { gpu: { requestAdapter } });
  const backend = await autoBackend();
  expect(backend.name).toBe("webgpu");
  const tensor = backend.tensor([2], [1, 2]);
  expect([...(await tensor.read())]).toEqual([1, 2]);
  (backend as unknown as { dispose(): void }).dispose();
});

test.each([
  ["no adapter", null],
  ["one in software", { info: { isFallbackAdapter: true } }],
  [
    "one that gives no device",
    { info: {}, limits: {}, requestDevice: () => Promise.reject(new Error("refused")) },
  ],
])("with %s, the processor", async (_, adapter) => {
  vi.stubGlobal("navigator", { gpu: { requestAdapter: () => Promise.resolve(adapter) } });
  expect((await autoBackend()).name).toBe("wasm");
});

test("else it is wasm where there is SIMD, and cpu-js where that must not be compiled", async () => {
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
