import { beta1, beta2, epsilon, gradientStride } from "../attributes.js";

export const workgroupSize = 256;

/** How a kernel reads a gradient: from structs of f16, or from packed f32. */
const gradientOf = {
  structs: `
fn gradient(row: u32, k: u32) -> f32 {
  let half = settings.gradient_offset + k;
  return unpack2x16float(gradients[row * ${gradientStride / 2}u + half / 2u])[half % 2u];
}`,
  plain: `
fn gradient(row: u32, k: u32) -> f32 {
  return bitcast<f32>(gradients[row * settings.columns + k]);
}`,
};

/** Adam for one attribute, one row per invocation. `pack_all` only fills the renderer's mirror. */
export function adamText(gradients: "structs" | "plain"): string {
  return `
struct Settings {
  rows: u32,
  columns: u32,
  gradient_offset: u32,
  mirror_offset: u32,
  mirror_stride: u32,
  learning_rate: f32,
  correction1: f32,
  correction2: f32,
}

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read> tiles: array<u32>;
@group(0) @binding(2) var<storage, read> gradients: array<u32>;
@group(0) @binding(3) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(4) var<storage, read_write> m: array<f32>;
@group(0) @binding(5) var<storage, read_write> v: array<f32>;
@group(0) @binding(6) var<storage, read_write> mirror: array<u32>;
${gradientOf[gradients]}

fn pack(row: u32) {
  for (var k = 0u; k < settings.columns; k += 2u) {
    let index = row * settings.columns + k;
    let first = parameters[index];
    let second = select(0.0, parameters[index + 1u], k + 1u < settings.columns);
    let word = (row * settings.mirror_stride + settings.mirror_offset + k) / 2u;
    mirror[word] = pack2x16float(vec2f(first, second));
  }
}

@compute @workgroup_size(${workgroupSize})
fn update(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= settings.rows || tiles[row] == 0u) { return; }
  for (var k = 0u; k < settings.columns; k++) {
    let index = row * settings.columns + k;
    let g = gradient(row, k);
    m[index] = ${beta1} * m[index] + ${1 - beta1} * g;
    v[index] = ${beta2} * v[index] + ${1 - beta2} * g * g;
    let direction = m[index] / settings.correction1 / (sqrt(v[index] / settings.correction2) + ${epsilon});
    parameters[index] -= settings.learning_rate * direction;
  }
  pack(row);
}

@compute @workgroup_size(${workgroupSize})
fn pack_all(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < settings.rows) { pack(id.x); }
}
`;
}

/** Copies rows of a parameter, or of its m or v, to their new indices. */
export const moveText = `
struct Settings {
  rows: u32,
  columns: u32,
  resets: u32,
}

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> reset: array<u32>;
@group(0) @binding(3) var<storage, read> before: array<f32>;
@group(0) @binding(4) var<storage, read_write> after: array<f32>;

@compute @workgroup_size(${workgroupSize})
fn move_rows(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= settings.rows) { return; }
  let is_new = settings.resets != 0u && reset[row] != 0u;
  for (var k = 0u; k < settings.columns; k++) {
    let value = before[indices[row] * settings.columns + k];
    after[row * settings.columns + k] = select(value, 0.0, is_new);
  }
}
`;
