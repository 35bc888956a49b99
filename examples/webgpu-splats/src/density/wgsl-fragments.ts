/** WGSL of random numbers that depend on a row and a seed: PCG, Jarzynski and Olano 2020. */
export const randomWgsl = `
fn hash(x: u32) -> u32 {
  let state = x * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

// Between 0 and 1.
fn unit(seed: u32) -> f32 {
  return (f32(hash(seed) >> 8) + 0.5) / 16777216;
}

// Three normally distributed numbers: Box and Muller 1958.
fn normal(seed: u32) -> vec3f {
  let radius = sqrt(-2 * log(vec2f(unit(seed), unit(seed + 1))));
  let angle = 6.2831853 * vec2f(unit(seed + 2), unit(seed + 3));
  return vec3f(radius.x * cos(angle.x), radius.x * sin(angle.x), radius.y * cos(angle.y));
}
`;

/** WGSL of the rotation of a vector by a unit quaternion (x, y, z, w). */
export const rotateWgsl = `
fn rotate(q: vec4f, x: vec3f) -> vec3f {
  let t = 2 * cross(q.xyz, x);
  return x + q.w * t + cross(q.xyz, t);
}
`;
