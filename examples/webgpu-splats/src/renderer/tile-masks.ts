import { projectedStruct } from "./projection.js";
import { tileSize, tilesPerSide, type RendererOptions } from "./renderer-options.js";

const threads = 64;

/** The number of words in the mask of a tile. */
export const maskLength = ({ capacity }: RendererOptions): number => Math.ceil(capacity / 32);

/** The number of workgroups per tile. */
export const maskWorkgroups = (count: number): number => Math.ceil(count / 32 / threads);

/** Bit i of a tile's mask: the tile overlaps the Gaussian at place i of the depth order. One invocation per word. */
export const tileMasksCode = (options: RendererOptions): string => `
${projectedStruct}
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read> projected: array<Projected>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> masks: array<u32>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let word = id.x;
  if (32 * word >= count) { return; }
  let tile = vec2u(id.y % ${tilesPerSide(options)}u, id.y / ${tilesPerSide(options)}u);
  let low = vec2f(tile * ${tileSize}u);
  let first = id.z * ${options.capacity}u;
  var mask = 0u;
  for (var bit = 0u; bit < min(32, count - 32 * word); bit++) {
    let gaussian = projected[first + order[first + 32 * word + bit]];
    let nearest = clamp(gaussian.mean, low, low + ${tileSize});
    let overlaps = all(abs(nearest - gaussian.mean) < gaussian.extent);
    mask |= u32(overlaps) << bit;
  }
  masks[(id.z * ${tilesPerSide(options) ** 2}u + id.y) * ${maskLength(options)}u + word] = mask;
}
`;
