import { gaussianStruct, type GaussianRows } from "../gaussian-rows.js";
import { readBytes, storage } from "../gpu/buffers.js";
import { Kernel, rowWorkgroups, rowsPerWorkgroup, type BoundKernel } from "../gpu/kernel.js";
import type { RowOrigins } from "../optimizer.js";
import type { DensityControl, DensityRound } from "./density-control.js";
import { prefixSumCode } from "./prefix-sum.js";
import { rotateWgsl } from "./wgsl-fragments.js";

export interface DensifierOptions {
  /** Gaussians whose mean screen-space gradient is larger are cloned or split. */
  readonly gradientThreshold: number;
  /** Gaussians whose largest scale is larger are split, smaller ones are cloned. */
  readonly splitScale: number;
  /** Gaussians with less opacity are pruned. */
  readonly minOpacity: number;
}

/** What becomes of a row. Also the values of `fresh`, with `second_half` for the added row of a split. */
const fates = `
const keep = 0u;
const clone = 1u;
const split = 2u;
const prune = 3u;
const second_half = 4u;
`;

const decideCode = ({ gradientThreshold, splitScale, minOpacity }: DensifierOptions): string => `
${gaussianStruct}${fates}
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read> gaussians: array<Gaussian>;
@group(0) @binding(2) var<storage, read> statistics: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> fate_of: array<u32>;
@group(0) @binding(4) var<storage, read_write> kept: array<u32>;
@group(0) @binding(5) var<storage, read_write> added: array<u32>;
@group(0) @binding(6) var<storage, read_write> totals: array<atomic<u32>, 4>;

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= count) { return; }
  let scale = gaussians[row].scale;
  let sum = statistics[row];
  let gradient = f32(sum.x) * ${2 ** -20}f / max(1, f32(sum.y));
  var fate = keep;
  if (gaussians[row].opacity < ${minOpacity}f) {
    fate = prune;
  } else if (gradient > ${gradientThreshold}f) {
    fate = select(clone, split, max(scale.x, max(scale.y, scale.z)) > ${splitScale}f);
  }
  fate_of[row] = fate;
  kept[row] = u32(fate != prune);
  added[row] = u32(fate == clone || fate == split);
  atomicAdd(&totals[fate], 1);
}
`;

/** Rows that are kept come first, in their order, then the second halves of cloned and split rows. */
const placeCode = (capacity: number): string => `
${fates}
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read> fate_of: array<u32>;
@group(0) @binding(2) var<storage, read> kept: array<u32>;
@group(0) @binding(3) var<storage, read> added: array<u32>;
@group(0) @binding(4) var<storage, read_write> indices: array<u32>;
@group(0) @binding(5) var<storage, read_write> fresh: array<u32>;
@group(0) @binding(6) var<storage, read_write> totals: array<u32, 5>;

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= count) { return; }
  let all_kept = kept[count - 1];
  if (row == 0) { totals[4] = min(${capacity}u, all_kept + added[count - 1]); }
  let fate = fate_of[row];
  if (fate == prune) { return; }
  let place = kept[row] - 1;
  let second_place = all_kept + added[row] - 1;
  let divides = fate != keep && second_place < ${capacity}u;
  indices[place] = row;
  fresh[place] = select(keep, fate, divides && fate == split);
  if (divides) {
    indices[second_place] = row;
    fresh[second_place] = select(fate, second_half, fate == split);
  }
}
`;

/**
 * Halves of a split row are smaller, and on both sides of its center. They are on its longest axis and not at random, so
 * that trainings which differ by rounding stay comparable.
 */
const divideCode = `
${rotateWgsl}${fates}
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read> fresh: array<u32>;
@group(0) @binding(2) var<storage, read_write> parameters: array<array<vec4f, 4>>;

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= count || (fresh[row] != split && fresh[row] != second_half)) { return; }
  let scale = exp(parameters[row][1].xyz);
  let largest = max(scale.x, max(scale.y, scale.z));
  let axis = select(vec3f(), scale, scale == vec3f(largest));
  let offset = rotate(normalize(parameters[row][2]), axis);
  parameters[row][0] += vec4f(select(offset, -offset, fresh[row] == split), 0);
  parameters[row][1] -= vec4f(vec3f(${Math.log(1.6)}f), 0);
}
`;

/** Adaptive density control: Kerbl et al. 2023, Section 5. */
export class Densifier implements DensityControl {
  readonly #rows: GaussianRows;
  readonly #indices: GPUBuffer;
  readonly #fresh: GPUBuffer;
  readonly #totals: GPUBuffer;
  readonly #decide: BoundKernel;
  readonly #sumKept: BoundKernel;
  readonly #sumAdded: BoundKernel;
  readonly #place: BoundKernel;
  readonly #divide: BoundKernel;

  constructor(rows: GaussianRows, options: DensifierOptions) {
    const { device, capacity, activated, statistics, parameters, countUniform } = rows;
    const words = (label: string): GPUBuffer => storage(device, label, capacity * 4);
    const [fateOf, kept, added] = [words("fates"), words("kept"), words("added")];
    this.#rows = rows;
    this.#indices = words("indices");
    this.#fresh = words("fresh");
    this.#totals = storage(device, "totals", 20);
    const kernel = (label: string, code: string): Kernel => new Kernel(device, label, code);
    this.#decide = kernel("decide", decideCode(options)).bind(
      countUniform,
      activated,
      statistics,
      fateOf,
      kept,
      added,
      this.#totals,
    );
    const prefixSum = kernel("prefix sum", prefixSumCode);
    this.#sumKept = prefixSum.bind(countUniform, kept);
    this.#sumAdded = prefixSum.bind(countUniform, added);
    this.#place = kernel("place", placeCode(capacity)).bind(
      countUniform,
      fateOf,
      kept,
      added,
      this.#indices,
      this.#fresh,
      this.#totals,
    );
    this.#divide = kernel("divide", divideCode).bind(countUniform, this.#fresh, parameters);
  }

  /** Reads back the new number of rows and the numbers of the report: 20 bytes. Clears the statistics. */
  async choose(): Promise<{ readonly origins: RowOrigins; readonly round: DensityRound }> {
    const { device, count, statistics } = this.#rows;
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(this.#totals);
    const pass = encoder.beginComputePass();
    this.#decide.dispatch(pass, rowWorkgroups(count));
    this.#sumKept.dispatch(pass, 1);
    this.#sumAdded.dispatch(pass, 1);
    this.#place.dispatch(pass, rowWorkgroups(count));
    pass.end();
    encoder.clearBuffer(statistics);
    device.queue.submit([encoder.finish()]);
    const totals = new Uint32Array(await readBytes(device, this.#totals, 20));
    const [, cloned, split, pruned, newCount] = totals;
    return {
      origins: { count: newCount, indices: this.#indices, fresh: this.#fresh },
      round: { pruned, cloned, split },
    };
  }

  complete(encoder: GPUCommandEncoder): void {
    const pass = encoder.beginComputePass();
    this.#divide.dispatch(pass, rowWorkgroups(this.#rows.count));
    pass.end();
  }
}
