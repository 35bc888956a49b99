/** A number from 0 to 1 for each point of an integer grid. */
function hash(x: number, y: number, seed: number): number {
  let value = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  value = Math.imul(value ^ (value >>> 15), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0) / 2 ** 32;
}

const mix = (from: number, to: number, t: number): number => from + (to - from) * t;

/** 0 below `from`, 1 above `to`, smooth between. */
export function smoothstep(from: number, to: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

/** Smooth values from 0 to 1, which change over a distance of about 1. */
export function noise(x: number, y: number, seed: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [smoothstep(0, 1, x - left), smoothstep(0, 1, y - top)];
  const upper = mix(hash(left, top, seed), hash(left + 1, top, seed), u);
  const lower = mix(hash(left, top + 1, seed), hash(left + 1, top + 1, seed), u);
  return mix(upper, lower, v);
}

/** A sum of noises, each of half the size and about half the height of the one before. From 0 to 1. */
export function fractalNoise(x: number, y: number, seed: number, octaves = 4): number {
  let [sum, height, total] = [0, 1, 0];
  for (let octave = 0; octave < octaves; octave += 1) {
    const size = 2 ** octave;
    sum += height * noise(x * size + 17 * octave, y * size - 31 * octave, seed + octave);
    total += height;
    height *= 0.5;
  }
  return sum / total;
}
