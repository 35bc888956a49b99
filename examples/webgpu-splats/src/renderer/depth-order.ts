import { rowsPerWorkgroup } from "../gpu/kernel.js";
import type { RendererOptions } from "./renderer-options.js";

/**
 * Sorts the Gaussians of each view by depth: the place of a Gaussian is the number of those before
 * it. One comparison per pair is fast for some thousands; millions would need a radix sort.
 */
export const depthOrderCode = ({ capacity }: RendererOptions): string => `
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read> depths: array<f32>;
@group(0) @binding(2) var<storage, read_write> order: array<u32>;

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= count) { return; }
  let first = id.y * ${capacity}u;
  let depth = depths[first + row];
  var place = 0u;
  for (var other = 0u; other < count; other++) {
    let other_depth = depths[first + other];
    place += u32(other_depth < depth || (other_depth == depth && other < row));
  }
  order[first + place] = row;
}
`;
