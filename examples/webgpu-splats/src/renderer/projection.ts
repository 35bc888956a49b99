import { gaussianStruct, gradientUnit } from "../gaussian-rows.js";
import { rowsPerWorkgroup } from "../gpu/kernel.js";
import type { RendererOptions } from "./renderer-options.js";

/** A Gaussian as a view sees it, in pixels. It covers pixels at distances below `extent`; that is 0 if it is not visible. */
export const projectedStruct = `
struct Projected {
  mean: vec2f,
  extent: vec2f,
  conic: vec3f,
  opacity: f32,
  color: vec3f,
}
`;
export const projectedByteLength = 48;

/** Gradients of a projected Gaussian: mean (2), conic (3), opacity, color (3), as integers. */
export const projectedGradientLength = 9;
/** Gradients by the conic are larger than the others by up to the square of the image's size. */
export const conicGradientUnit = 2 ** -22;
export const projectedGradientUnit = 2 ** -26;

const camera = ({ size, focalLength }: RendererOptions): string => `
const focal = ${focalLength * size}f;
const center = vec2f(${size / 2}f);
const nearest = 0.2f;

fn rotation_matrix(q: vec4f) -> mat3x3f {
  return mat3x3f(
    1 - 2 * (q.y * q.y + q.z * q.z), 2 * (q.x * q.y + q.w * q.z), 2 * (q.x * q.z - q.w * q.y),
    2 * (q.x * q.y - q.w * q.z), 1 - 2 * (q.x * q.x + q.z * q.z), 2 * (q.y * q.z + q.w * q.x),
    2 * (q.x * q.z + q.w * q.y), 2 * (q.y * q.z - q.w * q.x), 1 - 2 * (q.x * q.x + q.y * q.y),
  );
}

fn linear_part(view: mat4x4f) -> mat3x3f {
  return mat3x3f(view[0].xyz, view[1].xyz, view[2].xyz);
}

// The derivative of the perspective projection at a point of the camera's space.
fn jacobian(t: vec3f) -> mat3x2f {
  return mat3x2f(
    focal / t.z, 0,
    0, focal / t.z,
    -focal * t.x / (t.z * t.z), -focal * t.y / (t.z * t.z),
  );
}
`;

/** Projects each Gaussian to each view: EWA splatting, Zwicker et al. 2001. */
export const projectionCode = (options: RendererOptions): string => `
${gaussianStruct}${projectedStruct}${camera(options)}
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read> cameras: array<mat4x4f>;
@group(0) @binding(2) var<storage, read> views: array<u32>;
@group(0) @binding(3) var<storage, read> gaussians: array<Gaussian>;
@group(0) @binding(4) var<storage, read_write> projected: array<Projected>;
@group(0) @binding(5) var<storage, read_write> depths: array<f32>;

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= count) { return; }
  let gaussian = gaussians[id.x];
  let view = cameras[views[id.y]];
  let t = (view * vec4f(gaussian.position, 1)).xyz;
  var result = Projected();
  if (t.z > nearest) {
    let axes = rotation_matrix(gaussian.rotation) * mat3x3f(
      gaussian.scale.x, 0, 0, 0, gaussian.scale.y, 0, 0, 0, gaussian.scale.z);
    let screen_axes = jacobian(t) * linear_part(view) * axes;
    // A Gaussian is at least about as wide as a pixel.
    let covariance = screen_axes * transpose(screen_axes) + mat2x2f(0.3, 0, 0, 0.3);
    let a = covariance[0][0];
    let b = covariance[0][1];
    let c = covariance[1][1];
    let determinant = a * c - b * b;
    let mean = focal * t.xy / t.z + center;
    // At the border, opacity · density is 1/255.
    let squared_radius = 2 * log(max(1, 255 * gaussian.opacity));
    let extent = sqrt(squared_radius * vec2f(a, c));
    result = Projected(
      mean, extent, vec3f(c, -b, a) / determinant, gaussian.opacity, gaussian.color);
  }
  let index = id.y * ${options.capacity}u + id.x;
  projected[index] = result;
  depths[index] = t.z;
}
`;

/**
 * The backward pass of the projection. Adds to the gradients by activated values and to the
 * statistics for densification, and clears the gradients of the projected Gaussians.
 */
export const projectionBackwardCode = (options: RendererOptions): string => `
${gaussianStruct}${camera(options)}
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read> cameras: array<mat4x4f>;
@group(0) @binding(2) var<storage, read> views: array<u32>;
@group(0) @binding(3) var<storage, read> gaussians: array<Gaussian>;
@group(0) @binding(4) var<storage, read_write> projected_gradients: array<array<i32, ${projectedGradientLength}>>;
@group(0) @binding(5) var<storage, read_write> gradients: array<array<atomic<i32>, 16>>;
@group(0) @binding(6) var<storage, read_write> statistics: array<array<atomic<u32>, 2>>;

const statistics_unit = ${2 ** -20}f;

fn add(row: u32, column: u32, value: f32) {
  let limited = clamp(value / ${gradientUnit}f, -1e9, 1e9);
  atomicAdd(&gradients[row][column], i32(round(limited)));
}

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.x;
  if (row >= count) { return; }
  let index = id.y * ${options.capacity}u + row;
  let stored = projected_gradients[index];
  projected_gradients[index] = array<i32, ${projectedGradientLength}>();
  let d_mean = vec2f(f32(stored[0]), f32(stored[1])) * ${projectedGradientUnit}f;
  let d_conic = vec3f(f32(stored[2]), f32(stored[3]), f32(stored[4])) * ${conicGradientUnit}f;
  let d_opacity = f32(stored[5]) * ${projectedGradientUnit}f;
  let d_color = vec3f(f32(stored[6]), f32(stored[7]), f32(stored[8])) * ${projectedGradientUnit}f;

  let gaussian = gaussians[row];
  let view = cameras[views[id.y]];
  let t = (view * vec4f(gaussian.position, 1)).xyz;
  if (t.z <= nearest) { return; }
  let world_to_camera = linear_part(view);
  let rotation = rotation_matrix(gaussian.rotation);
  let axes = rotation * mat3x3f(
    gaussian.scale.x, 0, 0, 0, gaussian.scale.y, 0, 0, 0, gaussian.scale.z);
  let to_screen = jacobian(t) * world_to_camera;
  let screen_axes = to_screen * axes;
  let covariance = screen_axes * transpose(screen_axes) + mat2x2f(0.3, 0, 0, 0.3);
  let determinant = covariance[0][0] * covariance[1][1] - covariance[0][1] * covariance[0][1];
  let conic = mat2x2f(
    covariance[1][1], -covariance[0][1], -covariance[0][1], covariance[0][0]) * (1 / determinant);

  // conic = covariance⁻¹, covariance = screen_axes · screen_axesᵀ, screen_axes = to_screen · axes.
  let d_inverse = mat2x2f(d_conic.x, 0.5 * d_conic.y, 0.5 * d_conic.y, d_conic.z);
  let d_covariance = -1 * (conic * d_inverse * conic);
  let d_screen_axes = 2 * (d_covariance * screen_axes);
  let d_to_screen = d_screen_axes * transpose(axes);
  let d_axes = transpose(to_screen) * d_screen_axes;

  // axes = rotation · diagonal(scale).
  for (var k = 0u; k < 3; k++) {
    add(row, 4 + k, dot(rotation[k], d_axes[k]));
  }
  let r0 = d_axes[0] * gaussian.scale.x;
  let r1 = d_axes[1] * gaussian.scale.y;
  let r2 = d_axes[2] * gaussian.scale.z;
  let q = gaussian.rotation;
  add(row, 8, 2 * (q.y * (r0.y + r1.x) + q.z * (r0.z + r2.x) + q.w * (r1.z - r2.y)) - 4 * q.x * (r1.y + r2.z));
  add(row, 9, 2 * (q.x * (r0.y + r1.x) + q.z * (r1.z + r2.y) + q.w * (r2.x - r0.z)) - 4 * q.y * (r0.x + r2.z));
  add(row, 10, 2 * (q.x * (r0.z + r2.x) + q.y * (r1.z + r2.y) + q.w * (r0.y - r1.x)) - 4 * q.z * (r0.x + r1.y));
  add(row, 11, 2 * (q.z * (r0.y - r1.x) + q.y * (r2.x - r0.z) + q.x * (r1.z - r2.y)));

  // to_screen = jacobian(t) · world_to_camera; the mean depends on t, too.
  let d_jacobian = d_to_screen * transpose(world_to_camera);
  let z1 = focal / t.z;
  let z2 = z1 / t.z;
  let d_t = vec3f(
    z1 * d_mean.x - z2 * d_jacobian[2][0],
    z1 * d_mean.y - z2 * d_jacobian[2][1],
    -z2 * (dot(t.xy, d_mean) + d_jacobian[0][0] + d_jacobian[1][1])
      + 2 * z2 / t.z * dot(t.xy, d_jacobian[2]),
  );
  let d_position = transpose(world_to_camera) * d_t;
  for (var k = 0u; k < 3; k++) {
    add(row, k, d_position[k]);
    add(row, 12 + k, d_color[k]);
  }
  add(row, 3, d_opacity);

  // The norm of the gradient by the mean in this view, in units of half an image.
  let norm = length(d_mean) * ${options.size / 2}f * f32(groups.y);
  if (norm > 0) {
    atomicAdd(&statistics[row][0], u32(norm / statistics_unit));
    atomicAdd(&statistics[row][1], 1);
  }
}
`;
