import { cutoff, splatStruct } from "../splat-rows.js";
import { rowsPerWorkgroup } from "./kernel.js";

/** What a pixel needs of a splat, in WGSL. */
export const projectedStruct = /* wgsl */ `
struct Projected {
  // From an offset to standard deviations along the first axis (xy) and the second one (zw).
  axes: vec4f,
  position: vec2f,
  // Half of its width and height.
  reach: vec2f,
  color: vec3f,
  opacity: f32,
}

fn deviations(splat: Projected, pixel: vec2f) -> vec2f {
  let offset = pixel - splat.position;
  return vec2f(dot(splat.axes.xy, offset), dot(splat.axes.zw, offset));
}

// exp(−q / 2), where q is the squared distance in standard deviations.
fn density(deviations: vec2f) -> f32 {
  let q = dot(deviations, deviations);
  return select(0, exp(-0.5 * q), q <= ${cutoff});
}
`;

/** Computes from each splat what its pixels need. One invocation per splat. Clears its statistics. */
export const projectionCode = /* wgsl */ `
${splatStruct}${projectedStruct}
@group(0) @binding(0) var<storage, read> count: u32;
@group(0) @binding(1) var<storage, read> splats: array<Splat>;
@group(0) @binding(2) var<storage, read_write> projected: array<Projected>;
@group(0) @binding(3) var<storage, read_write> statistics: array<vec2u>;

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= count) { return; }
  let splat = splats[row];
  let first = splat.rotation;
  let second = vec2f(-first.y, first.x);
  let size = vec2f(length(first * splat.scale), length(first.yx * splat.scale));
  projected[row] = Projected(
    vec4f(first / splat.scale.x, second / splat.scale.y),
    splat.position,
    ${Math.sqrt(cutoff)}f * size,
    splat.color,
    splat.opacity,
  );
  statistics[row] = vec2u();
}
`;
