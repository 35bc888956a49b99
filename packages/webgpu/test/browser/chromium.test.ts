import { conformance, parseGolden, replay, wgsl } from "@gradstep/conformance";
import { adam, createOptimizer } from "@gradstep/core";
import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { describe, expect, test } from "vitest";
import { cases, isFull, seed } from "../../../../testing/cases.js";
import keras from "../../../conformance/fixtures/keras.json?raw";
import optax from "../../../conformance/fixtures/optax.json?raw";
import torch from "../../../conformance/fixtures/torch.json?raw";
import { bufferOf } from "../buffers.js";
import { conformanceSample } from "../conformance-sample.js";

// One device, as on a page. It keeps what it has compiled.
const { device } = await webgpu();
const newBackend = (): WebGpu => webgpu({ device });

describe("a device that the backend requested", () => {
  test("has the adapter's limits", async () => {
    const adapter = await navigator.gpu.requestAdapter();
    expect(device.limits.maxBufferSize).toBe(adapter!.limits.maxBufferSize);
    expect(device.limits.maxStorageBufferBindingSize).toBe(
      adapter!.limits.maxStorageBufferBindingSize,
    );
  });

  test("is destroyed by dispose", async () => {
    const backend = await webgpu();
    backend.dispose();
    await backend.device.lost;
    expect(() => backend.tensor([1])).toThrow("disposed");
  });

  test("is lost: a typed error", async () => {
    const backend = await webgpu();
    const w = backend.tensor([3]);
    const optimizer = createOptimizer(adam(), { w });
    backend.device.destroy();
    await backend.device.lost;
    expect(() => optimizer.step({ w: new Float32Array(3) })).toThrow(
      expect.objectContaining({ code: "DEVICE_LOST" }) as Error,
    );
  });
});

describe("arrays from the host", () => {
  const shared = (): Float32Array => new Float32Array(new SharedArrayBuffer(20));
  const resizable = (length?: number): Float32Array => {
    const buffer = Reflect.construct(ArrayBuffer, [20, { maxByteLength: 64 }]) as ArrayBuffer;
    return new Float32Array(buffer, 0, length);
  };

  const arrays: readonly (readonly [string, () => Float32Array])[] = [
    ["plain", () => new Float32Array(5)],
    ["part of an array", () => new Float32Array(20).subarray(3, 8)],
    ["resizable", () => resizable()],
    ["resizable, of fixed length", () => resizable(5)],
    [
      "WebAssembly memory",
      () => new Float32Array(new WebAssembly.Memory({ initial: 1 }).buffer, 8, 5),
    ],
    ...(typeof SharedArrayBuffer === "undefined" ? [] : [["shared", shared] as const]),
  ];

  test.each(arrays)("%s: gradients, values, masks and indices", async (_, make) => {
    const backend = newBackend();
    const w = backend.tensor([5, 1]);
    w.write(make().fill(0.5));
    const optimizer = createOptimizer(adam({ learningRate: 0.1 }), { w });
    const array = make();
    const rows = new Uint32Array(array.buffer, array.byteOffset, 5);
    rows.set([1, 0, 2, 0, 3]);
    optimizer.step({ w: make().fill(0.25) }, { rows });
    expect([...(await w.read())].map((value) => value.toFixed(5))).toEqual([
      "0.40000",
      "0.50000",
      "0.40000",
      "0.50000",
      "0.40000",
    ]);
    rows.set([4, 3, 2, 1, 0]);
    optimizer.rows().remap(rows, { resetRows: rows });
    expect((await w.read())[1].toFixed(5)).toBe("0.50000");
    await backend.ready();
    backend.dispose();
  });
});

describe("a wrapped buffer that was destroyed", () => {
  test("read and ready reject, and so does the next read after a step that needed it", async () => {
    const backend = newBackend();
    const buffer = bufferOf(device, new Float32Array(4));
    const w = backend.wrap(buffer);
    const other = backend.tensor([4], [11, 22, 33, 44]);
    const optimizer = createOptimizer(adam(), { other });
    w.write([1, 2, 3, 4]);
    expect([...(await other.read())]).toEqual([11, 22, 33, 44]);
    buffer.destroy();
    await expect(w.read()).rejects.toMatchObject({ code: "INVALID_MEMORY" });
    await expect(backend.ready()).rejects.toMatchObject({ code: "INVALID_MEMORY" });
    await backend.ready();
    optimizer.step({ other: w });
    await expect(other.read()).rejects.toMatchObject({ code: "INVALID_MEMORY" });
    expect([...(await other.read())]).toEqual([11, 22, 33, 44]);
  });
});

// All of them run in Node, too.
const libraries = [
  ["keras", keras],
  ["torch", torch],
  ["optax", optax],
] as const;

describe(`golden runs (seed ${seed})`, () => {
  test.each(libraries.filter((_, i) => isFull || i === seed % libraries.length))(
    "%s: every step is inside the bound",
    async (name, text) => {
      const golden = parseGolden(text, name);
      const own = golden.cases.filter((_, i) => isFull || i % 3 === seed % 3);
      const results = await replay({ ...golden, cases: own }, { backend: newBackend, model: wgsl });
      const failed = results.filter(({ status }) => status === "failed");
      expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
      expect(results.filter(({ status }) => status === "passed").length).toBeGreaterThan(
        isFull ? 10 : 2,
      );
    },
  );
});

describe(`conformance (${isFull ? "all checks" : "some of the checks"}, seed ${seed})`, () => {
  conformance({
    backend: newBackend,
    model: wgsl,
    wrapsArrays: false,
    cases: cases(40, 4),
    sequences: cases(40, 4),
    maxKernels: cases(8, 2),
    seed,
    ...conformanceSample({ describe, test }, 1, async () =>
      newBackend().wrap(new Float32Array(1) as never),
    ),
  });
});
