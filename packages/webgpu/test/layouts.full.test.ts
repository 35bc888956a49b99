import { adam, createOptimizer, type Tensor } from "@gradstep/core";
import { webgpu, type GpuWrapOptions, type WebGpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { bufferOf, describe, sharedDevice, wordsOf } from "./gpu.js";
import { countingEncoder } from "./counting-device.js";
import { decodeFloat16 } from "./float16.js";
import { cases } from "../../../testing/cases.js";
import { Random } from "./random.js";

/** The fields of a row of 16 floats, as Gaussian splat trainers have them. */
const fields = {
  position: { offset: 0, columns: 3, learningRate: 0.01 },
  opacity: { offset: 3, columns: 1, learningRate: 0.05 },
  scale: { offset: 4, columns: 3, learningRate: 0.005 },
  rotation: { offset: 8, columns: 4, learningRate: 0.001 },
  color: { offset: 12, columns: 3, learningRate: 0.0025 },
} as const;

type Field = keyof typeof fields;
const names = Object.keys(fields) as Field[];
const stride = 16;
const fixedScale = 2 ** -16;

/** Values of a field, row by row. */
function gather(words: ArrayLike<number>, name: Field, rows: number): Float32Array {
  const { offset, columns } = fields[name];
  return Float32Array.from(
    { length: rows * columns },
    (_, i) => words[Math.floor(i / columns) * stride + offset + (i % columns)],
  );
}

function shapeOf(name: Field, rows: number): readonly number[] {
  const { columns } = fields[name];
  return columns === 1 ? [rows] : [rows, columns];
}

/** Submits what is encoded; returns the number of dispatches. */
function dispatchesOf(device: GPUDevice, encode: (encoder: GPUCommandEncoder) => void): number {
  const encoder = device.createCommandEncoder();
  const counted = countingEncoder(encoder);
  encode(counted.encoder);
  device.queue.submit([encoder.finish()]);
  return counted.counts.dispatches;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe("layouts", () => {
  test.each([2000, 2001])(
    "five kinds of parameters in rows of 16 floats, %i rows: one dispatch, the bits of plain tensors",
    async (rows) => {
      const device = await sharedDevice();
      const backend = webgpu({ device });
      const random = new Random(rows);
      const values = Float32Array.from({ length: rows * stride }, () => 4 * random.unit() - 2);
      const integers = Int32Array.from({ length: rows * stride }, () =>
        Math.round(2 ** 19 * (random.unit() - 0.5)),
      );
      const [buffer, gradientBuffer] = [bufferOf(device, values), bufferOf(device, integers)];
      const wrapAll = (one: GPUBuffer, options: object): Record<Field, Tensor> =>
        Object.fromEntries(
          names.map((name) => {
            const { offset } = fields[name];
            const shape = shapeOf(name, rows);
            return [name, backend.wrap(one, { shape, offset, rowStride: stride, ...options })];
          }),
        ) as unknown as Record<Field, Tensor>;
      const groups = names.map((match) => ({ match, learningRate: fields[match].learningRate }));
      const optimizer = createOptimizer(adam(), wrapAll(buffer, {}), { groups });
      const gradients = wrapAll(gradientBuffer, { dtype: "i32", scale: fixedScale });

      const plain = createOptimizer(
        adam(),
        Object.fromEntries(
          names.map((name) => [
            name,
            backend.tensor(shapeOf(name, rows), gather(values, name, rows)),
          ]),
        ),
        { groups },
      );
      for (let step = 0; step < 3; step += 1) {
        optimizer.step(gradients);
        plain.step(
          Object.fromEntries(
            names.map((name) => [
              name,
              gather(integers, name, rows).map((value) => value * fixedScale),
            ]),
          ),
        );
      }
      expect(
        dispatchesOf(device, (encoder) => optimizer.encode(encoder, gradients, { clear: true })),
      ).toBe(1);
      plain.step(
        Object.fromEntries(
          names.map((name) => [
            name,
            gather(integers, name, rows).map((value) => value * fixedScale),
          ]),
        ),
      );
      const after = new Float32Array((await wordsOf(device, buffer)).buffer);
      for (const name of names) {
        const expected = await backend
          .wrap(buffer, {
            shape: shapeOf(name, rows),
            offset: fields[name].offset,
            rowStride: stride,
          })
          .read();
        expect(gather(after, name, rows)).toEqual(expected);
      }
      const state = await optimizer.state();
      const plainState = await plain.state();
      expect(state.slots).toEqual(plainState.slots);
      // The padding of each row.
      for (let row = 0; row < rows; row += 1)
        for (const k of [7, 15]) expect(after[row * stride + k]).toBe(values[row * stride + k]);
      const cleared = await wordsOf(device, gradientBuffer);
      for (let i = 0; i < cleared.length; i += 1)
        expect(cleared[i]).toBe(i % 16 === 7 || i % 16 === 15 ? integers[i] >>> 0 : 0);
    },
  );

  test("activated copies in f16 and f32 share a renderer's words; gradients by activated values", async () => {
    const device = await sharedDevice();
    const backend: WebGpu = webgpu({ device });
    const rows = 301;
    const random = new Random(7);
    const values = Float32Array.from({ length: rows * stride }, () => 4 * random.unit() - 2);
    const buffer = bufferOf(device, values);
    const render = bufferOf(device, new Uint32Array(rows * 12).fill(0x12345678));
    const at = (name: Field): Tensor =>
      backend.wrap(buffer, {
        shape: shapeOf(name, rows),
        offset: fields[name].offset,
        rowStride: stride,
      });
    const parameters = Object.fromEntries(names.map((name) => [name, at(name)]));
    // Words 0 and 1: x, y, z and opacity as f16; 2 to 4: exp(scale); 5 to 8: rotation; 9 and 10: color, and half a word.
    const half = (offset: number, name: Field): Tensor =>
      backend.wrap(render, { shape: shapeOf(name, rows), dtype: "f16", offset, rowStride: 24 });
    const single = (offset: number, name: Field): Tensor =>
      backend.wrap(render, { shape: shapeOf(name, rows), offset, rowStride: 12 });
    const optimizer = createOptimizer(adam({ learningRate: 0.1 }), parameters, {
      copies: {
        position: half(0, "position"),
        opacity: { to: half(3, "opacity"), as: "sigmoid" },
        scale: { to: single(2, "scale"), as: "exp" },
        rotation: { to: single(5, "rotation"), as: "normalize" },
        color: [{ to: half(18, "color"), as: "softplus" }],
      },
      activatedGradients: { opacity: "sigmoid", scale: "exp", rotation: "normalize" },
    });
    const gradients = Object.fromEntries(
      names.map((name) => {
        const ones = Float32Array.from(
          { length: rows * fields[name].columns },
          () => 2 * random.unit() - 1,
        );
        return [name, ones.slice()] as const;
      }),
    );
    optimizer.step(gradients);
    const tensors = Object.fromEntries(
      names.map((name) => [name, backend.tensor(shapeOf(name, rows), gradients[name], 1)]),
    );
    expect(dispatchesOf(device, (encoder) => optimizer.encode(encoder, tensors))).toBe(1);
    const words = await wordsOf(device, render);
    const floats = new Float32Array(words.buffer);
    const halves = new Uint16Array(words.buffer);
    const p = new Float32Array((await wordsOf(device, buffer)).buffer);
    const worst = (got: number, expected: number, bound: number): void => {
      if (!(Math.abs(got - expected) <= bound * Math.max(1, Math.abs(expected))))
        throw new Error(`Got ${got}; expected ${expected}.`);
    };
    for (let row = 0; row < rows; row += 1) {
      const own = p.subarray(row * stride, (row + 1) * stride);
      const norm = Math.hypot(...own.subarray(8, 12));
      for (let k = 0; k < 3; k += 1) {
        worst(decodeFloat16(halves[row * 24 + k]), own[k], 2 ** -10);
        worst(floats[row * 12 + 2 + k], Math.exp(own[4 + k]), 1e-6);
        worst(
          decodeFloat16(halves[row * 24 + 18 + k]),
          Math.log1p(Math.exp(own[12 + k])),
          2 ** -10,
        );
      }
      worst(decodeFloat16(halves[row * 24 + 3]), sigmoid(own[3]), 2 ** -10);
      for (let k = 0; k < 4; k += 1) worst(floats[row * 12 + 5 + k], own[8 + k] / norm, 1e-6);
      expect(halves[row * 24 + 21]).toBe(0x1234);
      expect([words[row * 12 + 11]]).toEqual([0x12345678]);
    }
    // m after one step is (1 - beta1) times the gradient by the parameter.
    const fresh = createOptimizer(
      adam({ beta1: 0 }),
      { opacity: at("opacity"), scale: at("scale"), rotation: at("rotation") },
      {
        activatedGradients: { opacity: "sigmoid", scale: "exp", rotation: "normalize" },
      },
    );
    const start = p.slice();
    fresh.step({
      opacity: gradients.opacity,
      scale: gradients.scale,
      rotation: gradients.rotation,
    });
    const { slots } = await fresh.state();
    for (let row = 0; row < rows; row += 1) {
      const own = start.subarray(row * stride, (row + 1) * stride);
      const s = sigmoid(own[3]);
      worst(slots.opacity.m[row], gradients.opacity[row] * s * (1 - s), 1e-6);
      const q = own.subarray(8, 12);
      const norm = Math.hypot(...q);
      const g = gradients.rotation.subarray(row * 4, row * 4 + 4);
      const along = q.reduce((sum, x, k) => sum + (x / norm) * g[k], 0);
      for (let k = 0; k < 3; k += 1)
        worst(
          slots.scale.m[row * 3 + k],
          gradients.scale[row * 3 + k] * Math.exp(own[4 + k]),
          2e-6,
        );
      for (let k = 0; k < 4; k += 1)
        worst(slots.rotation.m[row * 4 + k], (g[k] - (q[k] / norm) * along) / norm, 1e-5);
    }
    await backend.ready();
  });

  test.each([
    ["large", 1e12, 1e30],
    ["small", 1e-10, 1e-32],
  ])("gradients by normalized rows of %s values neither overflow nor vanish", async (_, x, g) => {
    const backend = webgpu({ device: await sharedDevice() });
    const w = backend.tensor([2, 2], [3 * x, 4 * x, -3 * x, 4 * x]);
    const activatedGradients = { w: "normalize" as const };
    const optimizer = createOptimizer(adam({ beta1: 0 }), { w }, { activatedGradients });
    optimizer.step({ w: Float32Array.of(g, 2 * g, g, 2 * g) });
    const { m } = (await optimizer.state()).slots.w;
    // (g - n * (n · g)) / |x| with n = (±0.6, 0.8).
    const expected = [-0.32, 0.24, 1.6, 1.2].map((one) => (one * g) / (5 * x));
    expected.forEach((one, i) => expect(m[i] / one).toBeCloseTo(1, 5));
  });

  test("slots in the caller's structs: { p, m, v } in one buffer", async () => {
    const device = await sharedDevice();
    const backend = webgpu({ device });
    const rows = 77;
    const random = new Random(3);
    const structs = Float32Array.from({ length: rows * 12 }, (_, i) =>
      i % 12 < 4 ? 2 * random.unit() - 1 : 0,
    );
    const buffer = bufferOf(device, structs);
    const part = (offset: number): Tensor =>
      backend.wrap(buffer, { shape: [rows, 4], offset, rowStride: 12 });
    const optimizer = createOptimizer(
      adam(),
      { w: part(0) },
      { slots: { w: { m: part(4), v: part(8) } } },
    );
    const plainW = backend.tensor(
      [rows, 4],
      Float32Array.from({ length: rows * 4 }, (_, i) => structs[Math.floor(i / 4) * 12 + (i % 4)]),
    );
    const plain = createOptimizer(adam(), { w: plainW });
    for (let step = 0; step < 5; step += 1) {
      const w = Float32Array.from({ length: rows * 4 }, () => 2 * random.unit() - 1);
      optimizer.step({ w });
      plain.step({ w });
    }
    expect(await part(0).read()).toEqual(await plainW.read());
    expect(await optimizer.state()).toEqual(await plain.state());
    optimizer.reset();
    expect(await part(4).read()).toEqual(new Float32Array(rows * 4));
    await backend.ready();
  });

  test("at most two dispatches per step, whatever the layout, if all is in three buffers", async () => {
    const device = await sharedDevice();
    const backend = webgpu({ device });
    const types = [{ dtype: "f32" }, { dtype: "f16" }, { dtype: "i32", scale: 0.001 }] as const;
    const activations = ["identity", "exp", "sigmoid", "softplus", "normalize"] as const;
    const counts: number[] = [];
    for (let round = 0; round < cases(60, 12); round += 1) {
      const random = new Random(round);
      const rows = 1 + random.below(40);
      const length = 64;
      const empty = (): GPUBuffer => bufferOf(device, new Float32Array(rows * length));
      const [own, ofGradients, ofCopies] = [empty(), empty(), empty()];
      const columns = Array.from({ length: 1 + random.below(5) }, () => 1 + random.below(5));
      const parameters: Record<string, Tensor> = {};
      const gradients: Record<string, Tensor> = {};
      const copies: Record<string, { to: Tensor; as: (typeof activations)[number] }> = {};
      columns.forEach((width, i) => {
        const shape = [rows, width];
        const field = (buffer: GPUBuffer, options: GpuWrapOptions): Tensor => {
          const unit = options.dtype === "f16" ? 2 : 1;
          const place = { offset: 8 * i * unit, rowStride: length * unit };
          return backend.wrap(buffer, { shape, ...place, ...options });
        };
        parameters[`p${i}`] = field(own, {});
        gradients[`p${i}`] = field(ofGradients, types[random.below(types.length)]);
        if (random.below(2) === 0) return;
        copies[`p${i}`] = {
          to: field(ofCopies, types[random.below(2)]),
          as: activations[random.below(activations.length)],
        };
      });
      const groups = Object.keys(parameters).map((match, i) => ({ match, learningRate: 0.01 * i }));
      const optimizer = createOptimizer(adam(), parameters, { groups, copies });
      const clear = random.below(2) === 0;
      counts.push(
        dispatchesOf(device, (encoder) => optimizer.encode(encoder, gradients, { clear })),
      );
    }
    await backend.ready();
    expect(Math.max(...counts)).toBeLessThanOrEqual(2);
  });
});
