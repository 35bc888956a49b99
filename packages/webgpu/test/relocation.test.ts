import { adam, createOptimizer } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { expect, test } from "vitest";
import { countingEncoder } from "./counting-device.js";
import { bufferOf, describe, newBackend } from "./gpu.js";
import { Random } from "./random.js";

/** Rows of the structs: position, logit of the opacity, logarithms of the scales, padding. */
const rowLength = 8;
const count = 24;

/**
 * Relocation as in "3D Gaussian Splatting as Markov Chain Monte Carlo" (Kheradmand et al. 2024): dead Gaussians move to
 * living ones, whose opacity and scale are corrected so that all together look as before; then positions get noise.
 */
const relocate = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> gaussians: array<f32>;
@group(0) @binding(1) var<storage, read> sources: array<u32>;
@group(0) @binding(2) var<storage, read> copies: array<f32>;
@group(0) @binding(3) var<storage, read> noise: array<f32>;
@group(0) @binding(4) var<storage, read_write> moved: array<u32>;

fn correct(row: u32, n: f32) {
  let o = 1.0 / (1.0 + exp(-gaussians[row * ${rowLength}u + 3u]));
  let next = 1.0 - pow(1.0 - o, 1.0 / n);
  var sum = 0.0;
  for (var i = 1.0; i <= n; i += 1.0) {
    var term = next;
    for (var k = 0.0; k < i; k += 1.0) {
      sum += term / sqrt(k + 1.0);
      term *= -next * (i - 1.0 - k) / (k + 1.0);
    }
  }
  gaussians[row * ${rowLength}u + 3u] = log(next / (1.0 - next));
  for (var k = 4u; k < 7u; k++) { gaussians[row * ${rowLength}u + k] += log(o / sum); }
}

@compute @workgroup_size(1)
fn main() {
  for (var row = 0u; row < ${count}u; row++) {
    moved[row] = 0u;
    if (copies[row] > 1.0) { correct(row, copies[row]); moved[row] = 1u; }
  }
  for (var row = 0u; row < ${count}u; row++) {
    let source = sources[row];
    if (source != row) {
      for (var k = 0u; k < 7u; k++) {
        gaussians[row * ${rowLength}u + k] = gaussians[source * ${rowLength}u + k];
      }
      moved[row] = 1u;
    }
  }
  for (var row = 0u; row < ${count}u; row++) {
    for (var k = 0u; k < 3u; k++) { gaussians[row * ${rowLength}u + k] += noise[row * 3u + k]; }
  }
}`;

interface Gaussians {
  readonly position: Float32Array;
  readonly opacity: Float32Array;
  readonly scale: Float32Array;
}

/** The same in f64. @returns 1 for each row that has changed */
function relocateOnHost(
  { position, opacity, scale }: Gaussians,
  sources: Uint32Array,
  copies: Float32Array,
  noise: Float32Array,
): Uint32Array<ArrayBuffer> {
  const moved = new Uint32Array(count);
  for (let row = 0; row < count; row += 1) {
    const n = copies[row];
    if (n <= 1) continue;
    const o = 1 / (1 + Math.exp(-opacity[row]));
    const next = 1 - (1 - o) ** (1 / n);
    let sum = 0;
    for (let i = 1; i <= n; i += 1) {
      let binomial = 1;
      for (let k = 0; k < i; k += 1) {
        sum += (binomial * (-1) ** k * next ** (k + 1)) / Math.sqrt(k + 1);
        binomial *= (i - 1 - k) / (k + 1);
      }
    }
    opacity[row] = Math.log(next / (1 - next));
    for (let k = 0; k < 3; k += 1) scale[row * 3 + k] += Math.log(o / sum);
    moved[row] = 1;
  }
  for (let row = 0; row < count; row += 1) {
    const source = sources[row];
    if (source !== row) {
      opacity[row] = opacity[source];
      for (const values of [position, scale])
        values.copyWithin(row * 3, source * 3, source * 3 + 3);
      moved[row] = 1;
    }
  }
  noise.forEach((value, i) => {
    position[i] += value;
  });
  return moved;
}

/** Every fourth row is dead, and moves to one of the rows after it; several can move to the same. */
const sources = Uint32Array.from({ length: count }, (_, row) =>
  row % 4 === 3 ? (row % 8 === 3 ? 1 : 6) : row,
);
const copies = Float32Array.from({ length: count }, (_, row) =>
  sources.reduce((sum, source, i) => sum + (source === row && i !== row ? 1 : 0), 1),
);

describe("relocation", () => {
  test("a kernel of the caller between two steps and a reset, in one encoder", async () => {
    const random = new Random(9);
    const gaussians = new Float32Array(random.values(count * rowLength));
    const noise = new Float32Array(random.values(count * 3)).map((value) => value / 100);
    const gradient = new Float32Array(random.values(count * rowLength));
    const settings = { groups: [{ match: "opacity", learningRate: 0.05 }] };

    const backend = await newBackend();
    const { device } = backend;
    const memory = bufferOf(device, gaussians.slice());
    const gradientMemory = bufferOf(device, gradient.slice());
    const field = (buffer: GPUBuffer, offset: number, length: number) =>
      backend.wrap(buffer, { shape: [count, length], offset, rowStride: rowLength });
    const fields = (buffer: GPUBuffer) => ({
      position: field(buffer, 0, 3),
      opacity: field(buffer, 3, 1),
      scale: field(buffer, 4, 3),
    });
    const parameters = fields(memory);
    const gradients = fields(gradientMemory);
    const render = backend.wrap(bufferOf(device, new Float32Array(count)), { shape: [count, 1] });
    const optimizer = createOptimizer(adam({ learningRate: 0.01 }), parameters, {
      ...settings,
      copies: { opacity: { to: render, as: "sigmoid" } },
    });
    const words = (values: Uint32Array<ArrayBuffer>): GPUBuffer =>
      bufferOf(device, new Float32Array(values.buffer.slice(0)));
    const movedBuffer = words(new Uint32Array(count));
    const moved = backend.wrap(movedBuffer, { dtype: "u32" });

    const real = device.createCommandEncoder();
    const { encoder, counts } = countingEncoder(real);
    optimizer.encode(encoder, gradients);
    optimizer.encode(encoder, gradients);
    const module = device.createShaderModule({ code: relocate });
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
    const bound = [
      memory,
      words(sources),
      bufferOf(device, copies),
      bufferOf(device, noise),
      movedBuffer,
    ];
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })),
      }),
    );
    pass.dispatchWorkgroups(1);
    pass.end();
    optimizer.encodeReset(encoder, undefined, { rows: moved });
    optimizer.encodeFillCopies(encoder);
    optimizer.encode(encoder, gradients);
    // Three steps, the caller's kernel, the reset of all slots and the copy.
    expect(counts.dispatches).toBe(6);
    device.queue.submit([real.finish()]);

    const host = reference();
    const part = (values: Float32Array, offset: number, length: number): Float32Array =>
      Float32Array.from(
        { length: count * length },
        (_, i) => values[Math.floor(i / length) * rowLength + offset + (i % length)],
      );
    const parts = (values: Float32Array) => ({
      position: part(values, 0, 3),
      opacity: part(values, 3, 1),
      scale: part(values, 4, 3),
    });
    const start = parts(gaussians);
    const tensors = {
      position: host.tensor([count, 3], start.position),
      opacity: host.tensor([count, 1], start.opacity),
      scale: host.tensor([count, 3], start.scale),
    };
    const plain = createOptimizer(adam({ learningRate: 0.01 }), tensors, settings);
    plain.step(parts(gradient));
    plain.step(parts(gradient));
    const values = {
      position: Float32Array.from(await tensors.position.read()),
      opacity: Float32Array.from(await tensors.opacity.read()),
      scale: Float32Array.from(await tensors.scale.read()),
    };
    const rows = relocateOnHost(values, sources, copies, noise);
    expect(rows.reduce((sum, one) => sum + one)).toBe(8);
    tensors.position.write(values.position);
    tensors.opacity.write(values.opacity);
    tensors.scale.write(values.scale);
    plain.reset(undefined, { rows });
    plain.step(parts(gradient));

    const slots = (await optimizer.state()).slots;
    const expected = (await plain.state()).slots;
    for (const name of ["position", "opacity", "scale"] as const) {
      const found = await parameters[name].read();
      (await tensors[name].read()).forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
      for (const slot of ["m", "v"])
        expected[name][slot].forEach((value, i) =>
          expect(slots[name][slot][i]).toBeCloseTo(value, 6),
        );
    }
    const opacities = await tensors.opacity.read();
    (await render.read()).forEach((value, i) =>
      expect(value).toBeCloseTo(1 / (1 + Math.exp(-opacities[i])), 5),
    );
  });
});
