/** WGSL of random numbers that depend on a row and a seed only: PCG, Jarzynski and Olano 2020. */
export const randomWgsl = `
fn hash(x: u32) -> u32 {
  let state = x * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

// 0 < x < 1.
fn unit(row: u32, seed: u32, k: u32) -> f32 {
  return (f32(hash(row ^ hash(seed ^ hash(k))) >> 8) + 0.5) / 16777216;
}

// Three normally distributed numbers: Box and Muller 1958.
fn normal(row: u32, seed: u32) -> vec3f {
  let a = sqrt(-2 * log(unit(row, seed, 0)));
  let b = sqrt(-2 * log(unit(row, seed, 1)));
  let angle = 6.2831853 * vec2f(unit(row, seed, 2), unit(row, seed, 3));
  return vec3f(a * cos(angle.x), a * sin(angle.x), b * cos(angle.y));
}

fn rotate(q: vec4f, x: vec3f) -> vec3f {
  let t = 2 * cross(q.xyz, x);
  return x + q.w * t + cross(q.xyz, t);
}
`;
