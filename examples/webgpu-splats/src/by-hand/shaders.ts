import { beta1, beta2, epsilon, gradientStride } from "../attributes.js";

export const workgroupSize = 256;

/** How a kernel finds a gradient: in the structs of f16, or as f32 without gaps. */
const gradientOf = {
  structs: `
fn gradient(row: u32, k: u32) -> f32 {
  let half = settings.gradient_at + k;
  return unpack2x16float(gradients[row * ${gradientStride / 2}u + half / 2u])[half % 2u];
}`,
  plain: `
fn gradient(row: u32, k: u32) -> f32 {
  return bitcast<f32>(gradients[row * settings.columns + k]);
}`,
};

/** Adam for one attribute, a row in each invocation; `pack_all` only fills the renderer's copy. */
export function adamText(gradients: "structs" | "plain"): string {
  return `
struct Settings {
  rows: u32,
  columns: u32,
  gradient_at: u32,
  copy_at: u32,
  copy_stride: u32,
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
@group(0) @binding(6) var<storage, read_write> copies: array<u32>;
${gradientOf[gradients]}

fn pack(row: u32) {
  for (var k = 0u; k < settings.columns; k += 2u) {
    let at = row * settings.columns + k;
    let first = parameters[at];
    let second = select(0.0, parameters[at + 1u], k + 1u < settings.columns);
    let word = (row * settings.copy_stride + settings.copy_at + k) / 2u;
    copies[word] = pack2x16float(vec2f(first, second));
  }
}

@compute @workgroup_size(${workgroupSize})
fn update(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= settings.rows || tiles[row] == 0u) { return; }
  for (var k = 0u; k < settings.columns; k++) {
    let at = row * settings.columns + k;
    let g = gradient(row, k);
    m[at] = ${beta1} * m[at] + ${1 - beta1} * g;
    v[at] = ${beta2} * v[at] + ${1 - beta2} * g * g;
    let direction = m[at] / settings.correction1 / (sqrt(v[at] / settings.correction2) + ${epsilon});
    parameters[at] -= settings.learning_rate * direction;
  }
  pack(row);
}

@compute @workgroup_size(${workgroupSize})
fn pack_all(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < settings.rows) { pack(id.x); }
}
`;
}

/** Moves the rows of one array: of a parameter, or of its m or v. */
export const moveText = `
struct Settings {
  rows: u32,
  columns: u32,
  begins_anew: u32,
}

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> fresh: array<u32>;
@group(0) @binding(3) var<storage, read> before: array<f32>;
@group(0) @binding(4) var<storage, read_write> after: array<f32>;

@compute @workgroup_size(${workgroupSize})
fn move_rows(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= settings.rows) { return; }
  let is_new = settings.begins_anew != 0u && fresh[row] != 0u;
  for (var k = 0u; k < settings.columns; k++) {
    let value = before[indices[row] * settings.columns + k];
    after[row * settings.columns + k] = select(value, 0.0, is_new);
  }
}
`;
