import { gradientUnit, rowLength } from "../splat-rows.js";
import { projectedStruct } from "./projection.js";
import { statisticsUnit } from "./splat-buffers.js";
import { tilingConstants, type Tiling } from "./tiles.js";

const threads = 64;

/**
 * The gradients of half the squared error by the activated values of splats. One workgroup per tile, one invocation per
 * splat in its list: it sums over the pixels of the tile in registers, and adds the sums with one atomic operation per
 * value. The pixels of a splat depend on other splats only through the image, so that the order of splats does not matter.
 */
export const backwardCode = (tiling: Tiling): string => /* wgsl */ `
${projectedStruct}${tilingConstants(tiling)}
@group(0) @binding(0) var<storage, read> projected: array<Projected>;
@group(0) @binding(1) var<storage, read> lengths: array<u32>;
@group(0) @binding(2) var<storage, read> lists: array<u32>;
@group(0) @binding(3) var<storage, read> image: array<vec4f>;
@group(0) @binding(4) var<storage, read> picture: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> gradients: array<array<atomic<i32>, ${rowLength}>>;
@group(0) @binding(6) var<storage, read_write> statistics: array<array<atomic<u32>, 2>>;

fn add(row: u32, column: u32, value: f32) {
  atomicAdd(&gradients[row][column], i32(round(value / ${gradientUnit})));
}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = tile.y * tile_columns + tile.x;
  let first = index * arrayLength(&projected);
  let end = first + lengths[index];
  for (var place = first + thread; place < end; place += ${threads}) {
    add_gradients(lists[place], tile.xy * tile_size);
  }
}

// Adds the gradients that come from the pixels of one tile.
fn add_gradients(row: u32, corner: vec2u) {
  let splat = projected[row];
  let low = max(corner, vec2u(max(vec2f(), floor(splat.position - splat.reach))));
  let high = min(min(corner + tile_size, size), vec2u(max(vec2f(), ceil(splat.position + splat.reach))));
  var d_color = vec3f();
  var d_opacity = 0f;
  // By the deviations: their sum, and the sums that scale and rotation need.
  var d_offset = vec2f();
  var d_scale = vec2f();
  var d_rotation = 0f;
  var coverage = 0f;
  var squared_error = 0f;
  for (var y = low.y; y < high.y; y++) {
    for (var x = low.x; x < high.x; x++) {
      let at = deviations(splat, vec2f(vec2u(x, y)) + 0.5);
      let density = density(at);
      if (density == 0) { continue; }
      let pixel = image[y * size.x + x];
      let error = pixel.rgb - picture[y * size.x + x].rgb;
      let weight = splat.opacity * density;
      let share = weight / pixel.w;
      let d_weight = dot(error, splat.color - pixel.rgb) / pixel.w;
      let d_deviations = -weight * d_weight * at;
      d_color += share * error;
      d_opacity += density * d_weight;
      d_offset += d_deviations;
      d_scale += d_deviations * at;
      d_rotation += d_deviations.x * at.y;
      coverage += share;
      squared_error += share * dot(error, error);
    }
  }
  // 1 / scale
  let narrowness = vec2f(length(splat.axes.xy), length(splat.axes.zw));
  let d_position = -(d_offset.x * splat.axes.xy + d_offset.y * splat.axes.zw);
  add(row, 0, d_position.x);
  add(row, 1, d_position.y);
  add(row, 2, -d_scale.x * narrowness.x);
  add(row, 3, -d_scale.y * narrowness.y);
  add(row, 4, d_color.r);
  add(row, 5, d_color.g);
  add(row, 6, d_color.b);
  add(row, 7, d_opacity);
  // By the angle. The length of a rotation is always 1, so that only the direction across it counts.
  let d_angle = d_rotation * (narrowness.x / narrowness.y - narrowness.y / narrowness.x);
  let first_axis = splat.axes.xy / narrowness.x;
  add(row, 8, -first_axis.y * d_angle);
  add(row, 9, first_axis.x * d_angle);
  atomicAdd(&statistics[row][0], u32(coverage / ${statisticsUnit}));
  atomicAdd(&statistics[row][1], u32(squared_error / ${statisticsUnit}));
}
`;
