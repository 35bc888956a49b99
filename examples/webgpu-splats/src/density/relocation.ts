import { gaussianStruct, gradientUnit, type GaussianRows } from "../gaussian-rows.js";
import { readBytes, storage, uniform } from "../gpu/buffers.js";
import { Kernel, rowWorkgroups, rowsPerWorkgroup, type BoundKernel } from "../gpu/kernel.js";
import type { RowOrigins } from "../optimizer.js";
import type { DensityControl, DensityRound } from "./density-control.js";
import { prefixSumCode } from "./prefix-sum.js";
import { randomWgsl, rotateWgsl } from "./wgsl-fragments.js";

export interface RelocationOptions {
  /** Gaussians with less opacity are dead: they are relocated. */
  readonly minOpacity: number;
  /** The number of Gaussians grows by this factor in each round, up to the capacity. */
  readonly growth: number;
  /** By this times the rate of positions, dead Gaussians move at random. */
  readonly noise: number;
  /** Weights of the mean opacity and the mean scale in the loss. */
  readonly opacityWeight: number;
  readonly scaleWeight: number;
}

const entry = `@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;`;

const weighCode = (minOpacity: number): string => `
${gaussianStruct}
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read> gaussians: array<Gaussian>;
@group(0) @binding(2) var<storage, read_write> weights: array<u32>;

${entry}
  if (row >= count) { return; }
  let opacity = gaussians[row].opacity;
  weights[row] = select(0, u32(opacity * 65536), opacity > ${minOpacity}f);
}
`;

/** Dead and added rows draw the row that they become a copy of, by opacity. `sums` are those of the weights. */
const drawCode = `
${randomWgsl}
struct Settings { count: u32, next_count: u32, seed: u32 }
@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read> sums: array<u32>;
@group(0) @binding(2) var<storage, read_write> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> copies: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> relocated: atomic<u32>;

fn draw(row: u32) -> u32 {
  let total = sums[settings.count - 1];
  let number = min(total - 1, u32(unit(row ^ hash(settings.seed)) * f32(total)));
  var low = 0u;
  var high = settings.count - 1;
  while (low < high) {
    let middle = (low + high) / 2;
    if (sums[middle] > number) { high = middle; } else { low = middle + 1; }
  }
  return low;
}

${entry}
  if (row >= settings.next_count) { return; }
  var index = row;
  let is_added = row >= settings.count;
  let before = select(0, sums[max(row, 1) - 1], row > 0);
  if (is_added || sums[row] == before) {
    index = draw(row);
    atomicAdd(&copies[index], 1);
    atomicAdd(&relocated, u32(!is_added));
  }
  indices[row] = index;
}
`;

const flagCode = `
@group(0) @binding(0) var<uniform> settings: vec2u;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> copies: array<u32>;
@group(0) @binding(3) var<storage, read_write> fresh: array<u32>;

${entry}
  if (row < settings.y) { fresh[row] = copies[indices[row]]; }
}
`;

/** A row and its copies together look as the row did before: Kheradmand et al. 2024, equation 9. */
const shareCode = `
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read> fresh: array<u32>;
@group(0) @binding(2) var<storage, read_write> parameters: array<array<vec4f, 4>>;

${entry}
  if (row >= count || fresh[row] == 0) { return; }
  let n = f32(min(50, fresh[row]) + 1);
  let opacity = min(0.995, 1 / (1 + exp(-parameters[row][0].w)));
  let share = 1 - pow(1 - opacity, 1 / n);
  var sum = 0f;
  var term = n * share;
  for (var k = 1f; k <= n; k += 1) {
    sum += term / sqrt(k);
    term *= -share * (n - k) / (k + 1);
  }
  parameters[row][0].w = log(share / (1 - share));
  parameters[row][1] += vec4f(vec3f(log(opacity / sum)), 0);
}
`;

const regularizeCode = ({ opacityWeight, scaleWeight }: RelocationOptions): string => `
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read_write> gradients: array<array<vec4i, 4>>;

${entry}
  if (row >= count) { return; }
  let unit = f32(count) * ${gradientUnit}f;
  gradients[row][0].w += i32(${opacityWeight}f / unit);
  gradients[row][1] += vec4i(vec3i(i32(${scaleWeight / 3}f / unit)), 0);
}
`;

/** Noise in the shape of the Gaussian, which only those that are almost dead have: equation 8. */
const perturbCode = ({ minOpacity }: RelocationOptions): string => `
${gaussianStruct}${randomWgsl}${rotateWgsl}
struct Settings { count: u32, seed: u32, amount: f32 }
@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read_write> gaussians: array<Gaussian>;
@group(0) @binding(2) var<storage, read_write> parameters: array<array<vec4f, 4>>;

${entry}
  if (row >= settings.count) { return; }
  let gaussian = gaussians[row];
  let amount = settings.amount / (1 + exp(100 * (gaussian.opacity - ${minOpacity}f)));
  let q = gaussian.rotation;
  let noise = normal(hash(row ^ hash(settings.seed))) * amount;
  let own_axes = rotate(vec4f(-q.xyz, q.w), noise) * gaussian.scale * gaussian.scale;
  let offset = rotate(q, own_axes);
  parameters[row][0] += vec4f(offset, 0);
  gaussians[row].position += offset;
}
`;

/** 3D Gaussian Splatting as Markov Chain Monte Carlo: Kheradmand et al. 2024. */
export class Relocation implements DensityControl {
  readonly #rows: GaussianRows;
  readonly #options: RelocationOptions;
  readonly #indices: GPUBuffer;
  readonly #fresh: GPUBuffer;
  readonly #copies: GPUBuffer;
  readonly #relocated: GPUBuffer;
  readonly #drawSettings: GPUBuffer;
  readonly #noiseSettings: GPUBuffer;
  readonly #weigh: BoundKernel;
  readonly #sum: BoundKernel;
  readonly #draw: BoundKernel;
  readonly #flag: BoundKernel;
  readonly #share: BoundKernel;
  readonly #regularize: BoundKernel;
  readonly #perturb: BoundKernel;

  constructor(rows: GaussianRows, options: RelocationOptions) {
    const { device, capacity, activated, parameters, gradients, countUniform } = rows;
    const words = (label: string): GPUBuffer => storage(device, label, capacity * 4);
    const weights = words("weights");
    this.#rows = rows;
    this.#options = options;
    this.#indices = words("indices");
    this.#fresh = words("fresh");
    this.#copies = words("copies");
    this.#relocated = storage(device, "relocated", 4);
    this.#drawSettings = uniform(device, "draw settings", 12);
    this.#noiseSettings = uniform(device, "noise settings", 12);
    const kernel = (label: string, code: string): Kernel => new Kernel(device, label, code);
    this.#weigh = kernel("weigh", weighCode(options.minOpacity)).bind(
      countUniform,
      activated,
      weights,
    );
    this.#sum = kernel("prefix sum", prefixSumCode).bind(countUniform, weights);
    this.#draw = kernel("draw", drawCode).bind(
      this.#drawSettings,
      weights,
      this.#indices,
      this.#copies,
      this.#relocated,
    );
    this.#flag = kernel("flag", flagCode).bind(
      this.#drawSettings,
      this.#indices,
      this.#copies,
      this.#fresh,
    );
    this.#share = kernel("share", shareCode).bind(countUniform, this.#fresh, parameters);
    this.#regularize = kernel("regularize", regularizeCode(options)).bind(countUniform, gradients);
    this.#perturb = kernel("perturb", perturbCode(options)).bind(
      this.#noiseSettings,
      activated,
      parameters,
    );
  }

  regularize(encoder: GPUCommandEncoder): void {
    this.#record(encoder, this.#regularize);
  }

  perturb(encoder: GPUCommandEncoder, step: number, positionRate: number): void {
    const bytes = new ArrayBuffer(12);
    new Uint32Array(bytes).set([this.#rows.count, step]);
    new Float32Array(bytes)[2] = this.#options.noise * positionRate;
    this.#rows.device.queue.writeBuffer(this.#noiseSettings, 0, bytes);
    this.#record(encoder, this.#perturb);
  }

  /** Reads back four bytes, the number of relocated rows, for the report only. */
  async choose(
    step: number,
  ): Promise<{ readonly origins: RowOrigins; readonly round: DensityRound }> {
    const { device, count, capacity } = this.#rows;
    const nextCount = Math.min(capacity, Math.ceil(count * this.#options.growth));
    device.queue.writeBuffer(this.#drawSettings, 0, new Uint32Array([count, nextCount, step]));
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(this.#copies);
    encoder.clearBuffer(this.#relocated);
    const pass = encoder.beginComputePass();
    this.#weigh.dispatch(pass, rowWorkgroups(count));
    this.#sum.dispatch(pass, 1);
    this.#draw.dispatch(pass, rowWorkgroups(nextCount));
    this.#flag.dispatch(pass, rowWorkgroups(nextCount));
    pass.end();
    device.queue.submit([encoder.finish()]);
    const [relocated] = new Uint32Array(await readBytes(device, this.#relocated, 4));
    return {
      origins: { count: nextCount, indices: this.#indices, fresh: this.#fresh },
      round: { relocated, added: nextCount - count },
    };
  }

  complete(encoder: GPUCommandEncoder): void {
    this.#record(encoder, this.#share);
  }

  #record(encoder: GPUCommandEncoder, kernel: BoundKernel): void {
    const pass = encoder.beginComputePass();
    kernel.dispatch(pass, rowWorkgroups(this.#rows.count));
    pass.end();
  }
}
