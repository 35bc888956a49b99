import {
  adam,
  chain,
  createOptimizer,
  ema,
  newRow,
  type GradstepError,
  type Tensor,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { webgpu, type EncodeTarget, type WebGpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { countingDevice } from "./counting-device.js";
import { bufferOf, describe, newBackend, sharedDevice } from "./gpu.js";
import { Random } from "./random.js";
import { recordingDevice } from "./recording-device.js";

const capacity = 200;

/** Parameters of which two have memory of the backend and one is caller-owned, with a packed copy. */
function start(backend: WebGpu) {
  const random = new Random(11);
  const { device } = backend;
  const buffer = (length: number): GPUBuffer =>
    bufferOf(device, new Float32Array(random.values(length)));
  const [opacities, render, gradientBuffer] = [200, 400, 1000].map(buffer);
  const parameters = {
    means: backend.tensor([30, 3], random.values(90)),
    scales: backend.tensor([30, 2], random.values(60)),
    opacity: backend.wrap(opacities, { shape: [30], capacity }),
  };
  const copy = backend.wrap(render, { shape: [30, 2], dtype: "f16", rowStride: 4, capacity });
  const optimizer = createOptimizer(chain(adam({ learningRate: 0.1 }), ema(0.5)), parameters, {
    copies: { scales: copy },
  });
  const gradients = (): Record<string, Tensor> => {
    const rows = parameters.means.shape[0];
    return {
      means: backend.wrap(gradientBuffer, { shape: [rows, 3], offset: 0 }),
      scales: backend.wrap(gradientBuffer, { shape: [rows, 2], offset: 3 }),
      opacity: backend.wrap(gradientBuffer, { shape: [rows], offset: 1, rowStride: 2 }),
    };
  };
  return { device, parameters, copy, optimizer, gradients };
}

/** New rows: more than the memory has, then fewer, then more. */
const remaps = [80, 7, 190].map(
  (count, k) =>
    ({
      indices: Uint32Array.from({ length: count }, (_, i) =>
        i % 5 === 4 ? newRow : (i * 7) % [30, 80, 7][k],
      ),
      resetRows: { scales: Uint32Array.from({ length: count }, (_, i) => i % 3), opacity: "all" },
    }) as const,
);

type Started = ReturnType<typeof start>;

async function values({ parameters, copy, optimizer }: Started): Promise<unknown> {
  const read = [...Object.values(parameters), copy].map(async (tensor) => tensor.read());
  return { values: await Promise.all(read), slots: (await optimizer.state()).slots };
}

function encodeAll({ optimizer, gradients }: Started, target: EncodeTarget): void {
  optimizer.encode(target, gradients());
  for (const { indices, resetRows } of remaps) {
    optimizer.rows().encodeRemap(target, indices, { resetRows });
    optimizer.encode(target, gradients());
  }
}

describe("encodeRemap", () => {
  test("remaps and steps in one encoder, or in one pass, give the bits of as many submits", async () => {
    const one = start(await newBackend());
    one.optimizer.step(one.gradients());
    for (const { indices, resetRows } of remaps) {
      one.optimizer.rows().remap(indices, { resetRows });
      one.optimizer.step(one.gradients());
    }
    const expected = await values(one);

    const recorded = start(await newBackend());
    const encoder = recorded.device.createCommandEncoder();
    encodeAll(recorded, encoder);
    recorded.device.queue.submit([encoder.finish()]);
    expect(await values(recorded)).toEqual(expected);

    const inPass = start(await newBackend());
    const own = inPass.device.createCommandEncoder();
    const pass = own.beginComputePass();
    encodeAll(inPass, pass);
    pass.end();
    inPass.device.queue.submit([own.finish()]);
    expect(await values(inPass)).toEqual(expected);
  });

  test("equals the reference, whose rows are moved on the host", async () => {
    const recorded = start(await newBackend());
    const host = reference();
    const parameters = {
      means: host.tensor([30, 3], await recorded.parameters.means.read()),
      scales: host.tensor([30, 2], await recorded.parameters.scales.read()),
      opacity: host.tensor([30], await recorded.parameters.opacity.read()),
    };
    const optimizer = createOptimizer(chain(adam({ learningRate: 0.1 }), ema(0.5)), parameters);
    const { indices, resetRows } = remaps[0];
    optimizer.rows().remap(indices, { resetRows });
    const encoder = recorded.device.createCommandEncoder();
    recorded.optimizer.rows().encodeRemap(encoder, indices, { resetRows });
    recorded.device.queue.submit([encoder.finish()]);
    for (const [name, tensor] of Object.entries(parameters)) {
      const moved = recorded.parameters[name as keyof typeof parameters];
      expect(moved.shape).toEqual(tensor.shape);
      expect(await moved.read()).toEqual(await tensor.read());
    }
    expect((await recorded.optimizer.state()).slots).toEqual((await optimizer.state()).slots);
  });

  test("nothing is submitted, and values change when the caller submits", async () => {
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const w = backend.tensor([2, 2], [1, 2, 3, 4]);
    const optimizer = createOptimizer(adam(), { w });
    optimizer.step({ w: new Float32Array(4).fill(1) });
    const before = counts.submit;
    const encoder = device.createCommandEncoder();
    optimizer.rows().encodeRemap(encoder, Uint32Array.of(1, 0, newRow));
    expect(counts.submit).toBe(before);
    expect(w.shape).toEqual([3, 2]);
    device.queue.submit([encoder.finish()]);
    const [a, b, c, d] = [0.999, 1.999, 2.999, 3.999];
    const moved = Array.from(await w.read());
    [c, d, a, b, 0, 0].forEach((value, i) => expect(moved[i]).toBeCloseTo(value, 5));
    await backend.ready();
    backend.dispose();
  });

  test("recorded work never needs memory that was destroyed, and what it no longer needs is destroyed", () => {
    const { device, counts } = recordingDevice();
    const backend = webgpu({ device });
    const w = backend.tensor([100, 16], undefined, { ownBuffer: true });
    const optimizer = createOptimizer(adam(), { w });
    const rows = optimizer.rows();
    const gradients: Tensor[] = [];
    const buffers: number[] = [];
    const bytes: number[] = [];
    let count = 100;
    // Steps are kept for 256 further steps, and each round has two of them.
    for (let k = 0; k < 400; k += 1) {
      const encoder = device.createCommandEncoder();
      for (let i = 0; i < 2; i += 1) {
        const gradient = backend.tensor([count, 16], undefined, { ownBuffer: true });
        optimizer.encode(encoder, { w: gradient });
        count += k % 20 < 10 ? 17 : -17;
        rows.encodeRemap(encoder, new Uint32Array(count));
        gradients.push(gradient);
      }
      const before = counts.submits;
      device.queue.submit([encoder.finish()]);
      expect(counts.submits - before).toBe(1);
      for (const gradient of gradients.splice(0)) gradient.free();
      buffers.push(counts.buffersMade - counts.buffersDestroyed);
      bytes.push(counts.bytes);
    }
    for (const one of [buffers, bytes])
      expect(Math.max(...one.slice(200))).toBeLessThanOrEqual(Math.max(...one.slice(0, 200)));
    backend.dispose();
  });

  test("its errors, after which nothing has changed", async () => {
    const { optimizer, parameters, device } = start(await newBackend());
    const rows = optimizer.rows();
    const encoder = device.createCommandEncoder();
    const code = (action: () => void): string => {
      try {
        action();
      } catch (error) {
        return (error as GradstepError).code;
      }
      return "none";
    };
    const indices = Uint32Array.of(0, 1);
    const other = {} as GPUCommandEncoder;
    expect(code(() => rows.encodeRemap(other, new Uint32Array(100)))).toBe("UNSUPPORTED");
    expect(code(() => rows.encodeRemap(encoder, new Uint32Array(201)))).toBe("INVALID_MEMORY");
    expect(code(() => rows.encodeRemap(encoder, Uint32Array.of(30)))).toBe("INVALID_MEMORY");
    expect(code(() => rows.encodeRemap(encoder, indices, { count: 3 }))).toBe("LENGTH_MISMATCH");
    expect(parameters.means.shape).toEqual([30, 3]);
    const host = reference();
    const onHost = createOptimizer(adam(), { w: host.tensor([2]) });
    expect(code(() => onHost.rows().encodeRemap({}, indices))).toBe("UNSUPPORTED");
    expect(code(() => onHost.encodeFillCopies({}))).toBe("UNSUPPORTED");
  });
});

describe("encodeFillCopies", () => {
  test("fills copies in the caller's work, after the caller's own kernel, and prepares them once", async () => {
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const buffer = bufferOf(device, new Float32Array([1, 2, 3, 4]));
    const w = backend.wrap(buffer, { shape: [4] });
    const copy = backend.wrap(bufferOf(device, new Float32Array(2)), { shape: [4], dtype: "f16" });
    const optimizer = createOptimizer(adam(), { w }, { copies: { w: copy } });
    const next = bufferOf(device, new Float32Array([5, 6, 7, 8]));
    const submits = counts.submit;
    const buffers: number[] = [];
    for (let k = 0; k < 3; k += 1) {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(next, 0, buffer, 0, 16);
      optimizer.encodeFillCopies(encoder);
      expect(counts.submit - submits).toBe(k);
      device.queue.submit([encoder.finish()]);
      buffers.push(counts.createBuffer);
    }
    expect(buffers[2]).toBe(buffers[0]);
    expect(Array.from(await copy.read())).toEqual([5, 6, 7, 8]);
    expect(() => optimizer.encodeFillCopies({} as GPUCommandEncoder)).toThrow("GPUCommandEncoder");
    await backend.ready();
    backend.dispose();
  });
});
