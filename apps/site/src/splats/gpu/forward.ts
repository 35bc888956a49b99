import { backgroundWeight } from "../splat-rows.js";
import { projectedStruct } from "./projection.js";
import { tileSize, tilingConstants, type Tiling } from "./tiles.js";

/**
 * The color of each pixel: the mean of the colors of its splats, by their weights. One invocation per pixel, one workgroup
 * per tile.
 */
export const forwardCode = (tiling: Tiling): string => /* wgsl */ `
${projectedStruct}${tilingConstants(tiling)}
@group(0) @binding(0) var<storage, read> projected: array<Projected>;
@group(0) @binding(1) var<storage, read> lengths: array<u32>;
@group(0) @binding(2) var<storage, read> lists: array<u32>;
// Color and sum of weights.
@group(0) @binding(3) var<storage, read_write> image: array<vec4f>;

@compute @workgroup_size(${tileSize}, ${tileSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) tile: vec3u) {
  if (any(id.xy >= size)) { return; }
  let index = tile.y * tile_columns + tile.x;
  let first = index * arrayLength(&projected);
  let end = first + lengths[index];
  let center = vec2f(id.xy) + 0.5;
  var sum = vec4f();
  for (var place = first; place < end; place++) {
    let splat = projected[lists[place]];
    sum += splat.opacity * density(deviations(splat, center)) * vec4f(splat.color, 1);
  }
  let total = sum.w + ${backgroundWeight};
  image[id.y * size.x + id.x] = vec4f(sum.rgb / total, total);
}
`;
