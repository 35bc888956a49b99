import { bufferUsage, shaderStage } from "./gpu-flags.js";
import {
  fieldNames,
  fields,
  gradientScale,
  type RowOptimizer,
  type TrainerBuffers,
} from "./rows.js";

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-7;

/** Steps that can be recorded before the first of them is submitted. */
const uniformSlots = 64;
const uniformStride = 256;

const shader = /* wgsl */ `
struct Uniforms {
  c1: f32,
  c2: f32,
  epsilon: f32,
  rows: u32,
  position_rate: f32,
  opacity_rate: f32,
  scale_rate: f32,
  rotation_rate: f32,
  color_rate: f32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradients: array<i32>;
@group(0) @binding(3) var<storage, read_write> first_moments: array<f32>;
@group(0) @binding(4) var<storage, read_write> second_moments: array<f32>;
@group(0) @binding(5) var<storage, read_write> activated: array<f32>;

fn update(i: u32, rate: f32) -> f32 {
  let g = f32(gradients[i]) * ${gradientScale};
  gradients[i] = 0;
  let m = first_moments[i] + (g - first_moments[i]) * uniforms.c1;
  let v = second_moments[i] + (g * g - second_moments[i]) * uniforms.c2;
  first_moments[i] = m;
  second_moments[i] = v;
  let p = parameters[i] - m * rate / (sqrt(v) + uniforms.epsilon);
  parameters[i] = p;
  return p;
}

fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exp(-x));
}

@compute @workgroup_size(64)
fn step(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= uniforms.rows) { return; }
  let start = row * 16u;
  for (var k = 0u; k < 3u; k++) {
    activated[start + k] = update(start + k, uniforms.position_rate);
  }
  activated[start + 3u] = sigmoid(update(start + 3u, uniforms.opacity_rate));
  for (var k = 4u; k < 7u; k++) {
    activated[start + k] = exp(update(start + k, uniforms.scale_rate));
  }
  var rotation: vec4f;
  for (var k = 0u; k < 4u; k++) {
    rotation[k] = update(start + 8u + k, uniforms.rotation_rate);
  }
  rotation = rotation / max(length(rotation), 1e-12);
  for (var k = 0u; k < 4u; k++) {
    activated[start + 8u + k] = rotation[k];
  }
  for (var k = 12u; k < 15u; k++) {
    activated[start + k] = sigmoid(update(start + k, uniforms.color_rate));
  }
}

@compute @workgroup_size(64)
fn reset_opacity(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= uniforms.rows) { return; }
  first_moments[row * 16u + 3u] = 0.0;
  second_moments[row * 16u + 3u] = 0.0;
}
`;

export class ByHand implements RowOptimizer {
  readonly #device: GPUDevice;
  readonly #rows: number;
  readonly #step: GPUComputePipeline;
  readonly #reset: GPUComputePipeline;
  readonly #uniforms: GPUBuffer;
  readonly #bindGroup: GPUBindGroup;
  #iterations = 0;
  #slot = 0;

  constructor(device: GPUDevice, buffers: TrainerBuffers, rows: number) {
    this.#device = device;
    this.#rows = rows;
    const module = device.createShaderModule({ code: shader });
    const bindGroupLayout = device.createBindGroupLayout({
      entries: [
        {
          binding: 0,
          visibility: shaderStage.COMPUTE,
          buffer: { type: "uniform", hasDynamicOffset: true },
        },
        ...[1, 2, 3, 4, 5].map((binding) => ({
          binding,
          visibility: shaderStage.COMPUTE,
          buffer: { type: "storage" as const },
        })),
      ],
    });
    const layout = device.createPipelineLayout({ bindGroupLayouts: [bindGroupLayout] });
    const pipeline = (entryPoint: string): GPUComputePipeline =>
      device.createComputePipeline({ layout, compute: { module, entryPoint } });
    this.#step = pipeline("step");
    this.#reset = pipeline("reset_opacity");
    this.#uniforms = device.createBuffer({
      size: uniformSlots * uniformStride,
      usage: bufferUsage.UNIFORM | bufferUsage.COPY_DST,
    });
    const state = (): GPUBuffer =>
      device.createBuffer({
        size: buffers.parameters.size,
        usage: bufferUsage.STORAGE | bufferUsage.COPY_SRC | bufferUsage.COPY_DST,
      });
    const { parameters, gradients, activated } = buffers;
    this.#bindGroup = device.createBindGroup({
      layout: bindGroupLayout,
      entries: [
        { binding: 0, resource: { buffer: this.#uniforms, size: 48 } },
        ...[parameters, gradients, state(), state(), activated].map((buffer, i) => ({
          binding: 1 + i,
          resource: { buffer },
        })),
      ],
    });
  }

  step(encoder: GPUCommandEncoder): void {
    this.#iterations += 1;
    this.#dispatch(encoder, this.#step, "step");
  }

  resetOpacity(encoder: GPUCommandEncoder): void {
    this.#dispatch(encoder, this.#reset, "reset of opacity");
  }

  #dispatch(encoder: GPUCommandEncoder, pipeline: GPUComputePipeline, label: string): void {
    const offset = this.#writeUniforms();
    const pass = encoder.beginComputePass({ label });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.#bindGroup, [offset]);
    pass.dispatchWorkgroups(Math.ceil(this.#rows / 64));
    pass.end();
  }

  /** In f64: 1 − β loses digits in f32. Returns the offset. */
  #writeUniforms(): number {
    const t = this.#iterations;
    const correction = Math.sqrt(1 - beta2 ** t) / (1 - beta1 ** t);
    const bytes = new ArrayBuffer(48);
    const floats = new Float32Array(bytes);
    floats.set([1 - beta1, 1 - beta2, epsilon]);
    new Uint32Array(bytes)[3] = this.#rows;
    floats.set(
      fieldNames.map((name) => fields[name].learningRate * correction),
      4,
    );
    const offset = this.#slot * uniformStride;
    this.#slot = (this.#slot + 1) % uniformSlots;
    this.#device.queue.writeBuffer(this.#uniforms, offset, bytes);
    return offset;
  }
}
