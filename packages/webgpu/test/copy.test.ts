import {
  createOptimizer,
  defineRule,
  identity,
  newRow,
  nonNegative,
  type Tensor,
} from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { bufferOf, describe, newBackend, sharedDevice, wordsOf } from "./gpu.js";
import { recordingDevice } from "./recording-device.js";

const rule = defineRule({
  name: "copying",
  hyperparameters: { learningRate: nonNegative(1) },
  slots: { z: "p" },
  perElement: "z = z - g * learningRate\nu = p - z",
});

function codeOf(action: () => void): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as { code: unknown }).code;
  }
}

describe("copy", () => {
  test("slots start as a copy of their parameter, in memory of the backend or of the caller", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const values = Float32Array.of(9, 1, 2, 3, 4, 5, 9);
    const wrapped = backend.wrap(bufferOf(device, values), { shape: [5], offset: 1 });
    for (const p of [wrapped, backend.tensor([5], [1, 2, 3, 4, 5])]) {
      const optimizer = createOptimizer(rule(), { p });
      expect([...(await optimizer.state()).slots.p.z]).toEqual([1, 2, 3, 4, 5]);
      optimizer.step({ p: Float32Array.of(1, 1, 1, 1, 1) });
      expect([...(await p.read())]).toEqual([0, 1, 2, 3, 4]);
    }
    await backend.ready();
  });

  test("rows that are reset are copied from where the parameter's rows have been moved", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const values = [1, 2, 3, 4, 5, 6];
    const wrapped = bufferOf(device, Float32Array.from([...values, 0, 0, 0, 0]));
    for (const p of [
      backend.tensor([3, 2], values),
      backend.wrap(wrapped, { shape: [3, 2], capacity: 5 }),
    ]) {
      const optimizer = createOptimizer(rule(), { p });
      // Both become 1 less.
      optimizer.step({ p: new Float32Array(6).fill(1) });
      const z = async (): Promise<number[]> => [...(await optimizer.state()).slots.p.z];
      p.write([10, 20, 30, 40, 50, 60]);
      expect(await z()).toEqual([0, 1, 2, 3, 4, 5]);
      // A clone of row 2, row 0 as it is, a new row, a clone of row 1.
      optimizer.rows().remap(Uint32Array.of(2, 0, newRow, 1), {
        resetRows: Uint32Array.of(1, 0, 0, 1),
      });
      expect([...(await p.read())]).toEqual([50, 60, 10, 20, 0, 0, 30, 40]);
      expect(await z()).toEqual([50, 60, 0, 1, 0, 0, 30, 40]);
      // The parameter was moved by the caller already.
      const other = backend.tensor([2, 2], [7, 8, 9, 10]);
      optimizer.rows().remap(Uint32Array.of(1, 0), {
        resetRows: Uint32Array.of(0, 1),
        parameters: { p: other },
      });
      expect(await z()).toEqual([0, 1, 9, 10]);
    }
    await backend.ready();
  });

  test("tensors in one buffer, and rows with gaps", async () => {
    const backend = await newBackend();
    const [one, other] = [backend.tensor([4], [1, 2, 3, 4]), backend.tensor([4])];
    expect(one.memory.buffer).toBe(other.memory.buffer);
    backend.copy(one, other);
    expect([...(await other.read())]).toEqual([1, 2, 3, 4]);
    const buffer = bufferOf(backend.device, new Float32Array(12).fill(9));
    const gaps = backend.wrap(buffer, { shape: [2, 2], offset: 1, rowStride: 5 });
    backend.copy(backend.tensor([2, 2], [5, 6, 7, 8]), gaps);
    const words = new Float32Array((await wordsOf(backend.device, buffer)).buffer);
    expect([...words]).toEqual([9, 5, 6, 9, 9, 9, 7, 8, 9, 9, 9, 9]);
    backend.copy(gaps, other);
    expect([...(await other.read())]).toEqual([5, 6, 7, 8]);
  });

  test("keeps no memory, and needs it until it is submitted", () => {
    const { device, counts } = recordingDevice();
    const backend = webgpu({ device });
    const [one, other] = [backend.tensor([4], [1, 2, 3, 4]), backend.tensor([4])];
    const buffer = device.createBuffer({ size: 40, usage: 0x8c });
    const gaps = backend.wrap(buffer, { shape: [2, 2], rowStride: 5 });
    const copies = [
      () => backend.copy(one, other),
      () => backend.copy(one, gaps),
      () => gaps.write([1, 2, 3, 4]),
    ];
    for (const copy of copies) {
      const live = (): number => counts.buffersMade - counts.buffersDestroyed;
      const before = live();
      const { submits } = counts;
      for (let i = 0; i < 3; i += 1) copy();
      expect(counts.submits).toBeGreaterThanOrEqual(submits + 3);
      expect(live()).toBe(before);
    }
  });

  test("a copy is filled from the parameter that is given, also after its rows have moved", async () => {
    const backend = await newBackend();
    const [a, b] = [backend.tensor([3], [1, 2, 3]), backend.tensor([3], [4, 5, 6])];
    const target = backend.tensor([3]);
    const copy = { target, activation: identity };
    const filled = async (from: Tensor): Promise<readonly number[]> => {
      backend.fillCopy(from, copy);
      return [...(await target.read())];
    };
    expect(await filled(a)).toEqual([1, 2, 3]);
    expect(await filled(b)).toEqual([4, 5, 6]);
    createOptimizer(rule(), { b })
      .rows()
      .remap(Uint32Array.of(2, 0, 1));
    expect(await filled(b)).toEqual([6, 4, 5]);
    await backend.ready();
  });

  test("what cannot be copied is refused, and nothing is allocated", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const tensor = backend.tensor([4]);
    const other = webgpu({ device }).tensor([4]);
    const storage = device.createBuffer({ size: 16, usage: 0x80 });
    const half = backend.wrap(bufferOf(device, new Float32Array(2)), { dtype: "f16" });
    expect(codeOf(() => backend.copy(other, tensor))).toBe("INVALID_PARAMETER");
    expect(codeOf(() => backend.copy(tensor, backend.tensor([5])))).toBe("LENGTH_MISMATCH");
    expect(codeOf(() => backend.copy(half, tensor))).toBe("UNSUPPORTED");
    expect(codeOf(() => backend.copy(backend.wrap(storage), tensor))).toBe("INVALID_MEMORY");
    expect(codeOf(() => backend.copy(tensor, backend.wrap(storage)))).toBe("INVALID_MEMORY");
    const p = backend.wrap(storage);
    expect(codeOf(() => createOptimizer(rule(), { p }))).toBe("INVALID_MEMORY");
    await backend.ready();
  });
});
