import { splatStruct } from "../splat-rows.js";
import { density } from "../training-settings.js";
import type { History } from "./history.js";
import { historyStruct } from "./history.js";
import { Kernel, rowWorkgroups, rowsPerWorkgroup } from "./kernel.js";
import { statisticsUnit, type SplatBuffers } from "./splat-buffers.js";

const buckets = 256;

/** Which bucket an error is in: eight per power of two. 0 is for splats that are pruned, 1 for those that are only kept. */
const rankCode = /* wgsl */ `
${splatStruct}
@group(0) @binding(0) var<storage, read> count: u32;
@group(0) @binding(1) var<storage, read> splats: array<Splat>;
@group(0) @binding(2) var<storage, read> statistics: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> bucket_of: array<u32>;
@group(0) @binding(4) var<storage, read_write> bucket_sizes: array<atomic<u32>, ${buckets}>;

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= count) { return; }
  let splat = splats[row];
  let coverage = f32(statistics[row].x) * ${statisticsUnit};
  let error = max(8, statistics[row].y);
  let exponent = firstLeadingBit(error);
  var bucket = 8 * exponent + ((error >> (exponent - 3)) & 7);
  if (max(splat.scale.x, splat.scale.y) < ${density.minSplitScale}) { bucket = 1; }
  if (splat.opacity < ${density.minOpacity} || coverage < ${density.minCoverage}) { bucket = 0; }
  bucket_of[row] = bucket;
  atomicAdd(&bucket_sizes[bucket], 1);
}
`;

const threads = 256;

/**
 * Where the rows go: each of them leaves out, keeps or doubles itself, and their order stays. If all would leave, all stay. The splats in the buckets of
 * the largest errors are doubled, as many buckets as there is space for. One workgroup; each invocation places a range.
 */
const placeCode = (capacity: number): string => /* wgsl */ `
${historyStruct}
@group(0) @binding(0) var<storage, read_write> count: u32;
@group(0) @binding(1) var<storage, read> bucket_of: array<u32>;
@group(0) @binding(2) var<storage, read_write> bucket_sizes: array<u32, ${buckets}>;
// The previous index of each row.
@group(0) @binding(3) var<storage, read_write> sources: array<u32>;
// 0 for a row that stays as it is, 1 and 2 for the halves of one that is split.
@group(0) @binding(4) var<storage, read_write> halves: array<u32>;
@group(0) @binding(5) var<storage, read_write> history: History;

var<workgroup> threshold: u32;
// The least bucket that stays.
var<workgroup> least: u32;
var<workgroup> lengths: array<u32, ${threads}>;

@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) thread: u32) {
  let range = (count + ${threads - 1}) / ${threads};
  let first = min(count, thread * range);
  let end = min(count, first + range);
  if (thread == 0) {
    least = select(1u, 0u, bucket_sizes[0] == count);
    let pruned = least * bucket_sizes[0];
    let kept = count - pruned;
    let budget = min(${capacity} - kept, u32(f32(kept) * ${density.growth}));
    var split = 0u;
    threshold = ${buckets};
    while (threshold > 2 && split + bucket_sizes[threshold - 1] <= budget) {
      threshold--;
      split += bucket_sizes[threshold];
    }
    history.rounds++;
    history.pruned += pruned;
    history.split += split;
  }
  workgroupBarrier();

  var length = 0u;
  for (var row = first; row < end; row++) {
    length += u32(bucket_of[row] >= least) + u32(bucket_of[row] >= threshold);
  }
  lengths[thread] = length;
  workgroupBarrier();

  var place = 0u;
  for (var i = 0u; i < thread; i++) { place += lengths[i]; }
  for (var row = first; row < end; row++) {
    if (bucket_of[row] < least) { continue; }
    let is_split = bucket_of[row] >= threshold;
    for (var half = u32(is_split); half <= 2 * u32(is_split); half++) {
      sources[place] = row;
      halves[place] = half;
      place++;
    }
  }
  bucket_sizes[thread] = 0;
  if (thread == ${threads - 1}) { count = place; }
}
`;

/** Halves of a splat are on both sides of its center, on its longer axis. */
const divideCode = /* wgsl */ `
${splatStruct}
@group(0) @binding(0) var<storage, read> count: u32;
@group(0) @binding(1) var<storage, read> halves: array<u32>;
@group(0) @binding(2) var<storage, read_write> parameters: array<Splat>;

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= count || halves[row] == 0) { return; }
  let splat = parameters[row];
  let is_second_longer = splat.scale.y > splat.scale.x;
  let along = normalize(splat.rotation);
  let axis = select(along, vec2f(-along.y, along.x), is_second_longer);
  let side = select(-1f, 1f, halves[row] == 1);
  let offset = side * ${density.splitOffset} * exp(max(splat.scale.x, splat.scale.y));
  parameters[row].position += offset * axis;
  parameters[row].scale += ${Math.log(density.splitScale)} * select(vec2f(1, 0), vec2f(0, 1), is_second_longer);
}
`;

/** Prunes splats that color nothing, and splits those with the largest errors: decided and done on the GPU. */
export class DensityControl {
  /** The previous index of each row, u32. */
  readonly sources: GPUBuffer;
  /** Nonzero for a row that is half of a previous one, u32. */
  readonly halves: GPUBuffer;
  readonly #capacity: number;
  readonly #rank: Kernel;
  readonly #place: Kernel;
  readonly #divide: Kernel;

  constructor(splats: SplatBuffers, history: History) {
    const { device, buffers, capacity, count, activated, statistics, parameters } = splats;
    const words = (label: string, length: number): GPUBuffer => buffers.storage(label, length * 4);
    const bucketOf = words("bucket of a row", capacity);
    const bucketSizes = words("sizes of buckets", buckets);
    this.sources = words("sources", capacity);
    this.halves = words("halves", capacity);
    this.#capacity = capacity;
    this.#rank = new Kernel(device, "rank", rankCode, [
      count,
      activated,
      statistics,
      bucketOf,
      bucketSizes,
    ]);
    this.#place = new Kernel(device, "place", placeCode(capacity), [
      count,
      bucketOf,
      bucketSizes,
      this.sources,
      this.halves,
      history.buffer,
    ]);
    this.#divide = new Kernel(device, "divide", divideCode, [count, this.halves, parameters]);
  }

  /** Records the choice of the new rows: their sources, halves, and number. */
  choose(pass: GPUComputePassEncoder): void {
    this.#rank.dispatch(pass, rowWorkgroups(this.#capacity));
    this.#place.dispatch(pass, 1);
  }

  /** Records the change of rows that are halves, after they were moved. */
  divide(pass: GPUComputePassEncoder): void {
    this.#divide.dispatch(pass, rowWorkgroups(this.#capacity));
  }
}
