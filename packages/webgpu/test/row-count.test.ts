import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  newRow,
  type GradstepError,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { countingDevice } from "./counting-device.js";
import { bufferOf, describe, newBackend, sharedDevice } from "./gpu.js";

const capacity = 120;

/** Removes rows whose first value is negative, clones those above 1, and writes how many there are. */
const selectRows = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@group(0) @binding(1) var<storage, read_write> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> count: array<u32>;

@compute @workgroup_size(1)
fn main() {
  var next = 0u;
  for (var row = 0u; row < count[0]; row++) {
    let value = values[row * 3u];
    if (value < 0.0) { continue; }
    indices[next] = row;
    next++;
    if (value > 1.0 && next < ${capacity}u) {
      indices[next] = row;
      next++;
    }
  }
  count[0] = next;
}`;

/** The same on the host. */
function selectedRows(values: ArrayLike<number>, count: number): Uint32Array {
  const indices: number[] = [];
  for (let row = 0; row < count; row += 1) {
    const value = values[row * 3];
    if (value < 0) continue;
    indices.push(row);
    if (value > 1 && indices.length < capacity) indices.push(row);
  }
  return Uint32Array.from(indices);
}

/** Rows of three values: a third of them negative, a third above 1. */
function initialValues(count: number): Float32Array {
  return Float32Array.from({ length: count * 3 }, (_, i) =>
    i % 3 === 0 ? ((i * 7) % 3) * 0.9 - 0.5 + (i % 13) / 16 : i / 8,
  );
}

/** Small integers, so that sums of their squares do not depend on the order. */
function gradientOf(count: number, round: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(capacity * 3).fill(Number.NaN);
  for (let i = 0; i < count * 3; i += 1) values[i] = ((i + round) % 5) - 2;
  return values;
}

const spec = () => chain(clipByGlobalNorm(1), adam({ learningRate: 0.25 }));

describe("a number of rows that is on the device", () => {
  test("rows are pruned and cloned, and stepped, without being read back", async () => {
    const backend = await newBackend();
    const { device } = backend;
    const first = 60;
    const words = new Float32Array(capacity);
    const [indexBuffer, countBuffer] = [bufferOf(device, words), bufferOf(device, words)];
    device.queue.writeBuffer(countBuffer, 0, Uint32Array.of(first));
    device.queue.writeBuffer(indexBuffer, 0, new Uint32Array(capacity).fill(newRow));
    const indices = backend.wrap(indexBuffer, { dtype: "u32" });
    const count = backend.wrap(countBuffer, { shape: [1], offset: 0, dtype: "u32" });
    const w = backend.tensor([first, 3], initialValues(first), { ownBuffer: true });
    const optimizer = createOptimizer(spec(), { w });
    const rows = optimizer.rows();

    const plainBackend = await newBackend();
    const plain = plainBackend.tensor([first, 3], initialValues(first));
    const plainOptimizer = createOptimizer(spec(), { w: plain });
    const module = device.createShaderModule({ code: selectRows });
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
    const gradientBuffer = bufferOf(device, gradientOf(0, 0));
    const counts = [first];
    for (let round = 0; round < 4; round += 1) {
      const kept = selectedRows(await plain.read(), counts[round]);
      plainOptimizer.rows().remap(kept);
      counts.push(kept.length);
      const gradient = gradientOf(kept.length, round);
      plainOptimizer.step({ w: gradient.slice(0, kept.length * 3) });

      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      const resources = [w.memory.buffer, indexBuffer, countBuffer];
      const entries = resources.map((buffer, binding) => ({ binding, resource: { buffer } }));
      const layout = pipeline.getBindGroupLayout(0);
      pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
      pass.dispatchWorkgroups(1);
      rows.encodeRemap(pass, indices, { count });
      device.queue.writeBuffer(gradientBuffer, 0, gradient);
      const gradients = { w: backend.wrap(gradientBuffer, { shape: [capacity, 3] }) };
      optimizer.encode(pass, gradients);
      pass.end();
      device.queue.submit([encoder.finish()]);

      expect(rows.count).toBe(capacity);
      expect(await rows.readCount()).toBe(kept.length);
      const values = await w.read();
      expect(values.slice(0, kept.length * 3)).toEqual(await plain.read());
      expect(values.slice(kept.length * 3).every((value) => value === 0)).toBe(true);
    }
    expect(new Set(counts).size).toBeGreaterThan(3);
    const slots = (await optimizer.state()).slots.w;
    for (const [name, values] of Object.entries((await plainOptimizer.state()).slots.w))
      expect(slots[name].slice(0, values.length)).toEqual(values);
    // With a number, all rows are stepped once more.
    rows.remap(new Uint32Array(2), { count: 2 });
    expect(await rows.readCount()).toBe(2);
    optimizer.step({ w: Float32Array.of(1, 1, 1, 1, 1, 1) });
    expect(new Set(await w.read()).size).toBeGreaterThan(2);
  });

  test("rows that are moved in several parts, of which the last ones have no source", async () => {
    const real = await sharedDevice();
    const { device } = countingDevice(real, { maxStorageBufferBindingSize: 1024 });
    const backend = webgpu({ device });
    const [length, columns, kept] = [150, 3, 100];
    const values = Float32Array.from({ length: length * columns }, (_, i) => i + 1);
    const w = backend.tensor([length, columns], values);
    const countBuffer = bufferOf(real, new Float32Array(1));
    real.queue.writeBuffer(countBuffer, 0, Uint32Array.of(kept));
    const count = backend.wrap(countBuffer, { dtype: "u32" });
    const indices = Uint32Array.from({ length }, (_, row) => row);
    createOptimizer(adam(), { w }).rows().remap(indices, { count });
    expect(await w.read()).toEqual(values.map((value, i) => (i < kept * columns ? value : 0)));
    await backend.ready();
    backend.dispose();
  });

  test("a mask that is given to a step replaces it, for that step", async () => {
    const backend = await newBackend();
    const countBuffer = bufferOf(backend.device, new Float32Array(1));
    backend.device.queue.writeBuffer(countBuffer, 0, Uint32Array.of(2));
    const count = backend.wrap(countBuffer, { dtype: "u32" });
    const w = backend.tensor([4], [1, 2, 3, 4]);
    const optimizer = createOptimizer(adam({ learningRate: 1 }), { w });
    const kept = Uint32Array.of(0, 1, 2, 3);
    optimizer.rows().remap(kept, { count });
    const gradient = { w: new Float32Array(4).fill(1) };
    const changed = async (step: () => void): Promise<boolean[]> => {
      const before = await w.read();
      step();
      const after = await w.read();
      return [...after].map((value, i) => value !== before[i]);
    };
    const below = [true, true, false, false];
    expect(await changed(() => optimizer.step(gradient))).toEqual(below);
    const rows = Uint32Array.of(0, 1, 1, 0);
    const masked = [false, true, true, false];
    expect(await changed(() => optimizer.step(gradient, { rows }))).toEqual(masked);
    expect(await changed(() => optimizer.step(gradient))).toEqual(below);
    backend.device.queue.writeBuffer(countBuffer, 0, Uint32Array.of(3));
    expect(await changed(() => optimizer.step(gradient))).toEqual([true, true, true, false]);
  });

  test("at creation: steps read it when they are executed, until rows are moved", async () => {
    const backend = await newBackend();
    const { device } = backend;
    const countBuffer = bufferOf(device, new Float32Array(1));
    const count = backend.wrap(countBuffer, { dtype: "u32" });
    const [w, b] = [backend.tensor([4, 2]), backend.tensor([4])];
    const optimizer = createOptimizer(adam({ learningRate: 1 }), { w, b }, { rowCounts: count });
    const late = backend.tensor([4]);
    const grown = optimizer.add({ late }, { rowCounts: { late: 1 } });
    const gradients = {
      w: backend.tensor([4, 2], new Float32Array(8).fill(1)),
      b: new Float32Array(4).fill(1),
      late: new Float32Array(4).fill(1),
    };
    for (const [steps, rows] of [2, 0, 4].entries()) {
      device.queue.writeBuffer(countBuffer, 0, Uint32Array.of(rows));
      const before = [...(await w.read()), ...(await b.read())];
      grown.step(gradients);
      const after = [...(await w.read()), ...(await b.read())];
      const isStepped = (i: number): boolean => (i < 8 ? i < 2 * rows : i - 8 < rows);
      expect(after.map((value, i) => value !== before[i])).toEqual(
        before.map((_, i) => isStepped(i)),
      );
      expect((await late.read()).map(Math.round)).toEqual(Float32Array.of(-1 - steps, 0, 0, 0));
      expect(await grown.rows(["w", "b"]).readCount()).toBe(rows);
    }
    device.queue.writeBuffer(countBuffer, 0, Uint32Array.of(3));
    expect((await grown.state()).rowCounts).toEqual({ w: 3, b: 3, late: 1 });
    grown.rows(["w", "b"]).remap(Uint32Array.of(0, 1, 2, 3));
    expect((await grown.state()).rowCounts).toEqual({ late: 1 });
  });

  test("its errors, after which nothing has changed", async () => {
    const backend = await newBackend();
    const code = (action: () => void): string => {
      try {
        action();
      } catch (error) {
        return (error as GradstepError).code;
      }
      return "none";
    };
    const w = backend.tensor([4]);
    const rows = createOptimizer(adam(), { w }).rows();
    const indices = new Uint32Array(3);
    const floats = backend.tensor([1]);
    const count = backend.wrap(bufferOf(backend.device, new Float32Array(1)), { dtype: "u32" });
    expect(code(() => rows.remap(indices, { count: floats }))).toBe("INVALID_MEMORY");
    expect(code(() => rows.remap(indices, { count, capacity: 4 }))).toBe("LENGTH_MISMATCH");
    expect(code(() => rows.remap(indices, { count, capacity: 0 }))).toBe("LENGTH_MISMATCH");
    expect(code(() => rows.remap(indices, { count: 2, capacity: 3 }))).toBe("LENGTH_MISMATCH");
    count.free();
    expect(code(() => rows.remap(indices, { count }))).toBe("DISPOSED");
    expect(w.shape).toEqual([4]);
    const host = reference();
    const onHost = createOptimizer(adam(), { w: host.tensor([4]) }).rows();
    expect(code(() => onHost.remap(indices, { count: host.tensor([1]) }))).toBe("UNSUPPORTED");
    expect(await onHost.readCount()).toBe(4);
  });
});
