import {
  conicGradientUnit,
  projectedGradientLength,
  projectedGradientUnit,
  projectedStruct,
} from "./projection.js";
import { tileSize, tilesPerSide, type RendererOptions } from "./renderer-options.js";
import { maskLength } from "./tile-masks.js";

/** What both directions have in common: a Gaussian's coverage of a pixel. One invocation per pixel, one workgroup per tile and view. */
const common = (options: RendererOptions): string => `
${projectedStruct}
@group(0) @binding(0) var<storage, read> projected: array<Projected>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> masks: array<u32>;

const capacity = ${options.capacity}u;
const size = ${options.size}u;
const tiles_per_side = ${tilesPerSide(options)}u;

const words = ${maskLength(options)}u;

fn first_word_of(tile: vec3u) -> u32 {
  return ((tile.z * tiles_per_side + tile.y) * tiles_per_side + tile.x) * words;
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
fn coverage(index: u32, id: vec3u) -> Coverage {
  let offset = projected[index].mean - (vec2f(id.xy) + 0.5);
  let conic = projected[index].conic;
  let power = -0.5 * (conic.x * offset.x * offset.x + conic.z * offset.y * offset.y)
    - conic.y * offset.x * offset.y;
  let density = exp(min(power, 0));
  let alpha = min(0.99, projected[index].opacity * density);
  return Coverage(offset, density, select(0, alpha, alpha >= ${1 / 255}f));
}
`;

/** Composites the Gaussians of each tile from front to back, on black. */
export const compositingCode = (options: RendererOptions): string => `
${common(options)}
@group(0) @binding(3) var<uniform> count: u32;
// Color and transmittance.
@group(0) @binding(4) var<storage, read_write> images: array<vec4f>;
// The place in the depth order after the last Gaussian that a pixel shows.
@group(0) @binding(5) var<storage, read_write> ends: array<u32>;

@compute @workgroup_size(${tileSize}, ${tileSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) tile: vec3u) {
  let first_word = first_word_of(tile);
  var color = vec3f();
  var transmittance = 1f;
  var end = 0u;
  var is_opaque = false;
  for (var word = 0u; 32 * word < count && !is_opaque; word++) {
    var bits = masks[first_word + word];
    while (bits != 0) {
      let place = 32 * word + firstTrailingBit(bits);
      bits &= bits - 1;
      let index = id.z * capacity + order[id.z * capacity + place];
      let alpha = coverage(index, id).alpha;
      if (alpha == 0) { continue; }
      let behind = transmittance * (1 - alpha);
      is_opaque = behind < 1e-4;
      if (is_opaque) { break; }
      color += transmittance * alpha * projected[index].color;
      transmittance = behind;
      end = place + 1;
    }
  }
  images[pixel_of(id)] = vec4f(color, transmittance);
  ends[pixel_of(id)] = end;
}
`;

/**
 * The backward pass of compositing, and of the loss: the mean of |image − target| over all channels,
 * pixels and views. Below 1/255, the precision of a picture, it is quadratic: its gradient goes to 0 where they are equal.
 * Adds to the gradients of the projected Gaussians.
 */
export const compositingBackwardCode = (options: RendererOptions): string => `
${common(options)}
@group(0) @binding(3) var<storage, read> images: array<vec4f>;
@group(0) @binding(4) var<storage, read> ends: array<u32>;
@group(0) @binding(5) var<storage, read> targets: array<vec4f>;
@group(0) @binding(6) var<storage, read> views: array<u32>;
@group(0) @binding(7) var<storage, read_write> gradients: array<array<atomic<i32>, ${projectedGradientLength}>>;

fn add(index: u32, column: u32, value: f32) {
  atomicAdd(&gradients[index][column], i32(round(value)));
}

@compute @workgroup_size(${tileSize}, ${tileSize})
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) tile: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let first_word = first_word_of(tile);
  let image = images[pixel_of(id)];
  let expected = targets[pixel_of(vec3u(id.xy, views[id.z]))].rgb;
  let d_color = clamp((image.rgb - expected) * 255, vec3f(-1), vec3f(1)) / (${3 * options.size ** 2}f * f32(groups.z));
  let end = ends[pixel_of(id)];
  var transmittance = image.a;
  // The color of everything behind a Gaussian.
  var behind = vec3f();
  for (var word = (end + 31) / 32; word > 0; word--) {
    var bits = masks[first_word + word - 1];
    if (32 * word > end) { bits &= (1u << (end % 32)) - 1; }
    while (bits != 0) {
      let bit = firstLeadingBit(bits);
      bits ^= 1u << bit;
      let index = id.z * capacity + order[id.z * capacity + 32 * (word - 1) + bit];
      let covered = coverage(index, id);
      let alpha = covered.alpha;
      if (alpha == 0) { continue; }
      transmittance /= 1 - alpha;
      let d_gaussian = d_color * (alpha * transmittance / ${projectedGradientUnit}f);
      for (var channel = 0u; channel < 3; channel++) {
        add(index, 6 + channel, d_gaussian[channel]);
      }
      let color = projected[index].color;
      let d_alpha = transmittance * dot(color - behind, d_color);
      behind = alpha * color + (1 - alpha) * behind;
      // At the upper limit, alpha is constant.
      if (alpha >= 0.99) { continue; }
      add(index, 5, covered.density * d_alpha / ${projectedGradientUnit}f);
      let d_power = alpha * d_alpha;
      let offset = covered.offset;
      let conic = projected[index].conic;
      let d_mean = mat2x2f(conic.xy, conic.yz) * offset * (-d_power / ${projectedGradientUnit}f);
      add(index, 0, d_mean.x);
      add(index, 1, d_mean.y);
      let d_conic = -d_power / ${conicGradientUnit}f;
      add(index, 2, 0.5 * offset.x * offset.x * d_conic);
      add(index, 3, offset.x * offset.y * d_conic);
      add(index, 4, 0.5 * offset.y * offset.y * d_conic);
    }
  }
}
`;
