import { beta1, beta2, epsilon, gradientUnit } from "../gaussian-rows.js";
import { rowsPerWorkgroup } from "../gpu/kernel.js";

const settings = `
struct Settings {
  count: u32,
  correction1: f32,
  correction2: f32,
  // The learning rate of each column.
  rates: array<vec4f, 4>,
}
@group(0) @binding(0) var<uniform> settings: Settings;
`;

const activation = `
fn sigmoid(x: f32) -> f32 { return 1 / (1 + exp(-x)); }

fn activate(row: u32) {
  let p = parameters[row];
  activated[row] = array<vec4f, 4>(
    vec4f(p[0].xyz, sigmoid(p[0].w)),
    vec4f(exp(p[1].xyz), 0),
    normalize(p[2]),
    vec4f(sigmoid(p[3].x), sigmoid(p[3].y), sigmoid(p[3].z), 0),
  );
}
`;

/** Adam on rows of 16 values. Gradients are by activated values, in fixed point, and are cleared. */
export const stepCode = `
${settings}
@group(0) @binding(1) var<storage, read_write> gradients: array<array<vec4i, 4>>;
@group(0) @binding(2) var<storage, read_write> parameters: array<array<vec4f, 4>>;
@group(0) @binding(3) var<storage, read_write> m: array<array<vec4f, 4>>;
@group(0) @binding(4) var<storage, read_write> v: array<array<vec4f, 4>>;
@group(0) @binding(5) var<storage, read_write> activated: array<array<vec4f, 4>>;
${activation}
// The gradient by the parameters, from that by the activated values.
fn gradient(row: u32) -> array<vec4f, 4> {
  var g: array<vec4f, 4>;
  for (var k = 0u; k < 4; k++) {
    g[k] = vec4f(gradients[row][k]) * ${gradientUnit}f;
    gradients[row][k] = vec4i();
  }
  let a = activated[row];
  g[0].w *= a[0].w * (1 - a[0].w);
  g[1] *= a[1];
  g[2] = (g[2] - a[2] * dot(a[2], g[2])) / length(parameters[row][2]);
  g[3] *= a[3] * (1 - a[3]);
  return g;
}

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= settings.count) { return; }
  let g = gradient(row);
  for (var k = 0u; k < 4; k++) {
    let next_m = ${beta1}f * m[row][k] + ${1 - beta1}f * g[k];
    let next_v = ${beta2}f * v[row][k] + ${1 - beta2}f * g[k] * g[k];
    m[row][k] = next_m;
    v[row][k] = next_v;
    let direction = next_m / settings.correction1 / (sqrt(next_v / settings.correction2) + ${epsilon}f);
    parameters[row][k] -= settings.rates[k] * direction;
  }
  activate(row);
}
`;

export const activateCode = `
${settings}
@group(0) @binding(1) var<storage, read> parameters: array<array<vec4f, 4>>;
@group(0) @binding(2) var<storage, read_write> activated: array<array<vec4f, 4>>;
${activation}
@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < settings.count) { activate(id.x); }
}
`;

/** Copies rows of parameters, m and v to their new indices, in other buffers. */
export const moveCode = `
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> fresh: array<u32>;
@group(0) @binding(3) var<storage, read> parameters: array<array<vec4f, 4>>;
@group(0) @binding(4) var<storage, read> m: array<array<vec4f, 4>>;
@group(0) @binding(5) var<storage, read> v: array<array<vec4f, 4>>;
@group(0) @binding(6) var<storage, read_write> moved_parameters: array<array<vec4f, 4>>;
@group(0) @binding(7) var<storage, read_write> moved_m: array<array<vec4f, 4>>;
@group(0) @binding(8) var<storage, read_write> moved_v: array<array<vec4f, 4>>;

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= count) { return; }
  let origin = indices[row];
  moved_parameters[row] = parameters[origin];
  if (fresh[row] != 0) {
    moved_m[row] = array<vec4f, 4>();
    moved_v[row] = array<vec4f, 4>();
  } else {
    moved_m[row] = m[origin];
    moved_v[row] = v[origin];
  }
}
`;

/** Sets m and v of some columns to zero. */
export const resetCode = `
struct Columns {
  count: u32,
  first: u32,
  end: u32,
}
@group(0) @binding(0) var<uniform> columns: Columns;
@group(0) @binding(1) var<storage, read_write> m: array<array<f32, 16>>;
@group(0) @binding(2) var<storage, read_write> v: array<array<f32, 16>>;

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= columns.count) { return; }
  for (var k = columns.first; k < columns.end; k++) {
    m[id.x][k] = 0;
    v[id.x][k] = 0;
  }
}
`;
