import { projectedStruct } from "./projection.js";
import { tileSize, tilesPerSide, type RendererOptions } from "./renderer-options.js";

/** Gaussians that a workgroup tests at a time: one bit of `hits` each. */
const blockLength = 128;

/** Lists the Gaussians of each tile from front to back. One workgroup per tile and view. */
export const tileListsCode = (options: RendererOptions): string => `
${projectedStruct}
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read> projected: array<Projected>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> lists: array<u32>;
@group(0) @binding(4) var<storage, read_write> list_lengths: array<u32>;

const capacity = ${options.capacity}u;
const tiles_per_side = ${tilesPerSide(options)}u;

var<workgroup> hits: array<atomic<u32>, ${blockLength / 32}>;

fn overlaps(gaussian: Projected, tile: vec2u) -> bool {
  let low = vec2f(tile * ${tileSize}u);
  let nearest = clamp(gaussian.mean, low, low + ${tileSize});
  return distance(nearest, gaussian.mean) < gaussian.radius;
}

@compute @workgroup_size(${blockLength})
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let list = (tile.z * tiles_per_side + tile.y) * tiles_per_side + tile.x;
  var length = 0u;
  for (var block = 0u; block < count; block += ${blockLength}u) {
    if (thread < ${blockLength / 32}u) { atomicStore(&hits[thread], 0); }
    workgroupBarrier();
    let place = block + thread;
    var row = 0u;
    var hit = false;
    if (place < count) {
      row = order[tile.z * capacity + place];
      hit = overlaps(projected[tile.z * capacity + row], tile.xy);
    }
    if (hit) { atomicOr(&hits[thread / 32], 1u << (thread % 32)); }
    workgroupBarrier();
    var before = length;
    for (var word = 0u; word < ${blockLength / 32}u; word++) {
      let bits = atomicLoad(&hits[word]);
      length += countOneBits(bits);
      // The bits of the threads before this one.
      let own = select(0u, bits & ((1u << (thread % 32)) - 1), word == thread / 32);
      before += countOneBits(select(own, bits, word < thread / 32));
    }
    if (hit) { lists[list * capacity + before] = row; }
    workgroupBarrier();
  }
  if (thread == 0) { list_lengths[list] = length; }
}
`;
