import { nodeGpu } from "@gradstep/webgpu/node";
import { afterEach, expect, test, vi } from "vitest";
import { adam, autoBackend, cpuJs, createOptimizer, wasm } from "../src/index.js";

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

test.skipIf(!hasGpu)("uses a GPU if there is one", async () => {
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
  backend.dispose();
});

test.skipIf(!hasGpu)("uses the CPU if the GPU device is lost from the start", async () => {
  const { gpu } = await nodeGpu();
  const adapter = (await gpu.requestAdapter())!;
  const requestDevice = async (): Promise<GPUDevice> => {
    const device = await adapter.requestDevice();
    device.destroy();
    await device.lost;
    return device;
  };
  const requestAdapter = (): Promise<unknown> =>
    Promise.resolve({ info: {}, limits: adapter.limits, requestDevice });
  vi.stubGlobal("navigator", { gpu: { requestAdapter } });
  expect((await autoBackend()).name).toBe("wasm");
});

const refuses = { limits: {}, requestDevice: () => Promise.reject(new Error("refused")) };

function throwing(key: string, rest: object = refuses): object {
  const get = (): never => {
    throw new TypeError("Illegal invocation");
  };
  return Object.defineProperty({ ...rest }, key, { get });
}

test.each([
  ["no adapter", null],
  ["an adapter in software", { info: { isFallbackAdapter: true }, isFallbackAdapter: false }],
  ["an adapter in software, as Chrome 131 says it", { info: {}, isFallbackAdapter: true }],
  ["an adapter in software without info", { isFallbackAdapter: true }],
  ["an adapter in software whose info throws", throwing("info", { isFallbackAdapter: true })],
  ["an adapter that gives no device", { info: {}, ...refuses }],
  ["an adapter without info, as in Chrome 126", { isFallbackAdapter: false, ...refuses }],
  ["an adapter whose info throws", throwing("info")],
  ["an adapter whose isFallbackAdapter throws", throwing("isFallbackAdapter")],
  ["an adapter that is not one", {}],
])("with %s, uses the CPU", async (_, adapter) => {
  vi.stubGlobal("navigator", { gpu: { requestAdapter: () => Promise.resolve(adapter) } });
  expect((await autoBackend()).name).toBe("wasm");
});

test.each([
  ["rejects", { gpu: { requestAdapter: () => Promise.reject(new Error("blocked")) } }],
  [
    "throws",
    {
      gpu: {
        requestAdapter: () => {
          throw new Error("blocked");
        },
      },
    },
  ],
  ["does not exist", { gpu: {} }],
  ["is behind a getter that throws", throwing("gpu", {})],
  ["has no navigator", undefined],
])("if requestAdapter %s, uses the CPU", async (_, navigator) => {
  vi.stubGlobal("navigator", navigator);
  expect((await autoBackend()).name).toBe("wasm");
});

test("uses cpu-js if wasm memory cannot be allocated", async () => {
  const memory = vi.spyOn(WebAssembly, "Memory").mockImplementation(function () {
    throw new RangeError("WebAssembly.Memory(): could not allocate memory");
  });
  expect((await autoBackend()).name).toBe("cpu-js");
  memory.mockRestore();
});

test("every backend can be disposed of", async () => {
  for (const backend of [cpuJs(), wasm(), await autoBackend()]) {
    backend.dispose();
    expect(() => backend.dispose()).not.toThrow();
  }
});

test("without a GPU uses wasm, and cpu-js if wasm has no SIMD or must not be compiled", async () => {
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

test.each([
  ["an adapter", { requestAdapter: () => new Promise(() => {}) }],
  [
    "a device",
    {
      requestAdapter: async () => ({ ...refuses, requestDevice: () => new Promise(() => {}) }),
    },
  ],
])("uses the CPU where the browser never answers a request for %s", async (_, gpu) => {
  vi.useFakeTimers();
  vi.stubGlobal("navigator", { gpu });
  try {
    const backend = autoBackend();
    await vi.advanceTimersByTimeAsync(4999);
    expect(await Promise.race([backend, Promise.resolve("waits")])).toBe("waits");
    await vi.advanceTimersByTimeAsync(1);
    expect((await backend).name).toBe("wasm");
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
