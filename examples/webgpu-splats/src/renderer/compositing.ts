import {
  conicGradientUnit,
  projectedGradientLength,
  projectedGradientUnit,
  projectedStruct,
} from "./projection.js";
import { tileSize, tilesPerSide, type RendererOptions } from "./renderer-options.js";

/** What both directions have in common: a Gaussian's coverage of a pixel. One invocation per pixel, one workgroup per tile and view. */
const common = (options: RendererOptions): string => `
${projectedStruct}
@group(0) @binding(0) var<storage, read> projected: array<Projected>;
@group(0) @binding(1) var<storage, read> lists: array<u32>;

const capacity = ${options.capacity}u;
const size = ${options.size}u;
const tiles_per_side = ${tilesPerSide(options)}u;

fn list_of(tile: vec3u) -> u32 {
  return (tile.z * tiles_per_side + tile.y) * tiles_per_side + tile.x;
}

fn pixel_of(id: vec3u) -> u32 {
  return (id.z * size + id.y) * size + id.x;
}

struct Coverage {
  offset: vec2f,
  density: f32,
  alpha: f32,
}

// alpha = opacity · density, at most 0.99. Below 1/255 it counts as 0.
fn coverage(gaussian: Projected, id: vec3u) -> Coverage {
  let offset = gaussian.mean - (vec2f(id.xy) + 0.5);
  let conic = gaussian.conic;
  let power = -0.5 * (conic.x * offset.x * offset.x + conic.z * offset.y * offset.y)
    - conic.y * offset.x * offset.y;
  let density = exp(min(power, 0));
  let alpha = min(0.99, gaussian.opacity * density);
  return Coverage(offset, density, select(0, alpha, alpha >= ${1 / 255}f));
}
`;

/** Composites the Gaussians of each tile from front to back, on black. */
export const compositingCode = (options: RendererOptions): string => `
${common(options)}
@group(0) @binding(2) var<storage, read> list_lengths: array<u32>;
// Color and transmittance.
@group(0) @binding(3) var<storage, read_write> images: array<vec4f>;
// The number of Gaussians in the list of the tile up to the last one that a pixel shows.
@group(0) @binding(4) var<storage, read_write> ends: array<u32>;

@compute @workgroup_size(${tileSize}, ${tileSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) tile: vec3u) {
  let list = list_of(tile);
  let length = list_lengths[list];
  var color = vec3f();
  var transmittance = 1f;
  var end = 0u;
  for (var k = 0u; k < length; k++) {
    let gaussian = projected[id.z * capacity + lists[list * capacity + k]];
    let alpha = coverage(gaussian, id).alpha;
    if (alpha == 0) { continue; }
    let behind = transmittance * (1 - alpha);
    if (behind < 1e-4) { break; }
    color += transmittance * alpha * gaussian.color;
    transmittance = behind;
    end = k + 1;
  }
  images[pixel_of(id)] = vec4f(color, transmittance);
  ends[pixel_of(id)] = end;
}
`;

/**
 * The backward pass of compositing, and of the loss: the mean of |image − target| over all channels,
 * pixels and views. Adds to the gradients of the projected Gaussians.
 */
export const compositingBackwardCode = (options: RendererOptions): string => `
${common(options)}
@group(0) @binding(2) var<storage, read> images: array<vec4f>;
@group(0) @binding(3) var<storage, read> ends: array<u32>;
@group(0) @binding(4) var<storage, read> targets: array<vec4f>;
@group(0) @binding(5) var<storage, read> views: array<u32>;
@group(0) @binding(6) var<storage, read_write> gradients: array<array<atomic<i32>, ${projectedGradientLength}>>;

fn add(index: u32, column: u32, value: f32) {
  atomicAdd(&gradients[index][column], i32(round(value)));
}

@compute @workgroup_size(${tileSize}, ${tileSize})
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) tile: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let list = list_of(tile);
  let image = images[pixel_of(id)];
  let expected = targets[pixel_of(vec3u(id.xy, views[id.z]))].rgb;
  let d_color = sign(image.rgb - expected) / (${3 * options.size ** 2}f * f32(groups.z));
  var transmittance = image.a;
  // The color of everything behind a Gaussian.
  var behind = vec3f();
  for (var k = ends[pixel_of(id)]; k > 0; k--) {
    let index = id.z * capacity + lists[list * capacity + k - 1];
    let gaussian = projected[index];
    let covered = coverage(gaussian, id);
    let alpha = covered.alpha;
    if (alpha == 0) { continue; }
    transmittance /= 1 - alpha;
    let d_gaussian = d_color * (alpha * transmittance / ${projectedGradientUnit}f);
    for (var channel = 0u; channel < 3; channel++) {
      add(index, 6 + channel, d_gaussian[channel]);
    }
    let d_alpha = transmittance * dot(gaussian.color - behind, d_color);
    behind = alpha * gaussian.color + (1 - alpha) * behind;
    if (alpha >= 0.99) { continue; }
    add(index, 5, covered.density * d_alpha / ${projectedGradientUnit}f);
    let d_power = alpha * d_alpha;
    let d = covered.offset;
    let conic = mat2x2f(gaussian.conic.xy, gaussian.conic.yz);
    let d_mean = conic * d * (-d_power / ${projectedGradientUnit}f);
    add(index, 0, d_mean.x);
    add(index, 1, d_mean.y);
    let d_conic = -d_power / ${conicGradientUnit}f;
    add(index, 2, 0.5 * d.x * d.x * d_conic);
    add(index, 3, d.x * d.y * d_conic);
    add(index, 4, 0.5 * d.y * d.y * d_conic);
  }
}
`;
