import {
  adam,
  createOptimizer,
  type Backend,
  type OptimizerOptions,
  type RowValues,
  type Tensor,
} from "@gradstep/core";
import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { seed } from "../../../testing/cases.js";
import { countingDevice } from "./counting-device.js";
import { bufferOf, describe, newBackend, sharedDevice } from "./gpu.js";
import { Random } from "./random.js";

const rows = 9;

/** An optimizer of two parameters, of which one gets masks, with its own state. */
function start(backend: Backend, options: OptimizerOptions) {
  const random = new Random(seed + 50);
  const w = backend.tensor([rows, 3], random.values(rows * 3));
  const b = backend.tensor([rows], random.values(rows));
  const optimizer = createOptimizer(adam(), { w, b }, { accumulate: 3, ...options });
  const values = async () => {
    const { slots, iterations } = await optimizer.state();
    return [await w.read(), await b.read(), slots, iterations];
  };
  return { optimizer, values };
}

/** @param selected the word of a selected row */
function maskOf(random: Random, selected: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: rows }, () => (random.below(3) > 0 ? selected : 0));
}

function onDevice(backend: WebGpu, mask: Uint32Array<ArrayBuffer>): Tensor {
  const buffer = bufferOf(backend.device, new Float32Array(mask.buffer));
  return backend.wrap(buffer, { shape: [rows], dtype: "u32" });
}

describe("masks on the device, with accumulate", () => {
  test.each<OptimizerOptions>([{}, { nonFinite: "skip" }, { lossScale: 4 }])(
    "their rows are combined as those of arrays; %o",
    async (options) => {
      const random = new Random(seed + 51);
      const backend = await newBackend();
      const [tensors, mixed, arrays] = [1, 2, 3].map(() => start(backend, options));
      for (let call = 0; call < 18; call += 1) {
        const gradients = { w: random.values(rows * 3), b: random.values(rows) };
        // Some calls have no mask: they select all rows.
        const isMasked = call < 9 || random.below(4) > 0;
        const mask = maskOf(random, 7);
        const step = ({ optimizer }: typeof arrays, one: RowValues): void =>
          optimizer.step(gradients, isMasked ? { rows: { w: one } } : {});
        const tensor = onDevice(backend, mask);
        step(tensors, tensor);
        step(mixed, call % 2 === 0 ? mask : tensor);
        step(arrays, mask);
        if (call % 7 === 6) await tensors.optimizer.metrics();
      }
      const expected = await arrays.values();
      expect(await tensors.values()).toEqual(expected);
      expect(await mixed.values()).toEqual(expected);
    },
  );

  test("a state in the middle of a step has them, and rows that are moved keep them", async () => {
    const random = new Random(seed + 52);
    const backend = await newBackend();
    const one = start(backend, {});
    const arrays = start(backend, {});
    const call = (moved: boolean, all: readonly ReturnType<typeof start>[]): void => {
      const gradients = { w: random.values(rows * 3), b: random.values(rows) };
      const mask = maskOf(random, 1);
      all.forEach(({ optimizer }, i) => {
        const isArray = i > 0 || moved;
        optimizer.step(gradients, { rows: { w: isArray ? mask : onDevice(backend, mask) } });
      });
    };
    call(false, [one, arrays]);
    const state = structuredClone(await one.optimizer.state());
    expect(state.control).toEqual((await arrays.optimizer.state()).control);
    for (const { optimizer } of [one, arrays])
      optimizer.rows().remap(Uint32Array.of(8, 0, 1, 7, 2, 3, 4, 5, 0xffff_ffff));
    call(false, [one, arrays]);
    call(false, [one, arrays]);
    expect(await one.values()).toEqual(await arrays.values());
    // A state in the middle of a step replaces what was selected since.
    call(false, [one, arrays]);
    one.optimizer.restore(state);
    arrays.optimizer.restore(state);
    for (let i = 0; i < 5; i += 1) call(false, [one, arrays]);
    expect(await one.values()).toEqual(await arrays.values());
  });

  test.each<OptimizerOptions>([{}, { nonFinite: "skip" }, { lossScale: 4 }, { sparse: "lazy" }])(
    "those of arrays are part of a step that is encoded by a call without them; %o",
    async (options) => {
      const random = new Random(seed + 54);
      const backend = await newBackend();
      const encoded = start(backend, options);
      const arrays = start(backend, options);
      const gradient = encoded.optimizer.gradient("b");
      const both = [encoded.optimizer, arrays.optimizer];
      for (let i = 0; i < 4; i += 1) {
        for (const mask of [maskOf(random, 3), maskOf(random, 1)]) {
          const gradients = { w: random.values(rows * 3) };
          for (const optimizer of both) optimizer.step(gradients, { rows: { w: mask } });
        }
        // The rows of a restored state are arrays, too.
        if (i === 2) encoded.optimizer.restore(await encoded.optimizer.state());
        const b = random.values(rows);
        gradient.write(b);
        const encoder = backend.device.createCommandEncoder();
        encoded.optimizer.encode(encoder, { b: gradient });
        backend.device.queue.submit([encoder.finish()]);
        arrays.optimizer.step({ b });
      }
      expect(arrays.optimizer.iterations).toBe(4);
      expect(await encoded.values()).toEqual(await arrays.values());
    },
  );

  test("encoded steps: nothing is read or created", async () => {
    const random = new Random(seed + 53);
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const encoded = start(backend, {});
    const arrays = start(backend, {});
    const [w, b] = [encoded.optimizer.gradient("w"), encoded.optimizer.gradient("b")];
    const mask = onDevice(backend, new Uint32Array(rows));
    let warm = {};
    const created = (): unknown =>
      Object.entries(counts).filter(([key]) => /^create(?!CommandEncoder)|mapAsync/.test(key));
    for (let call = 0; call < 9; call += 1) {
      const values = { w: random.values(rows * 3), b: random.values(rows) };
      const selected = maskOf(random, 5);
      w.write(values.w);
      b.write(values.b);
      mask.write(selected);
      const encoder = device.createCommandEncoder();
      encoded.optimizer.encode(encoder, { w, b }, { rows: { w: mask } });
      device.queue.submit([encoder.finish()]);
      arrays.optimizer.step(values, { rows: { w: selected } });
      if (call === 5) warm = structuredClone(created()) as object;
    }
    expect(created()).toEqual(warm);
    expect(await encoded.values()).toEqual(await arrays.values());
    backend.dispose();
  });
});
