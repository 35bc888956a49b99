import type { Picture } from "../picture.js";
import { fractalNoise, noise, smoothstep } from "./noise.js";

type Color = readonly [number, number, number];

const mix = (from: Color, to: Color, t: number): Color => [
  from[0] + (to[0] - from[0]) * t,
  from[1] + (to[1] - from[1]) * t,
  from[2] + (to[2] - from[2]) * t,
];

const add = (color: Color, light: Color, strength: number): Color => [
  color[0] + light[0] * strength,
  color[1] + light[1] * strength,
  color[2] + light[2] * strength,
];

/** The height of the shore, from the top, in heights of the picture. */
const shore = 0.66;
const sun = { x: 0.87, y: 0.4, radius: 0.042 };
const sunlight: Color = [1, 0.72, 0.38];

const skyColors: readonly (readonly [number, Color])[] = [
  [0, [0.1, 0.13, 0.34]],
  [0.2, [0.28, 0.22, 0.47]],
  [0.38, [0.67, 0.33, 0.5]],
  [0.52, [0.96, 0.53, 0.4]],
  [0.66, [1, 0.82, 0.55]],
];

function sky(x: number, y: number): Color {
  let color = skyColors[0][1];
  for (let i = 1; i < skyColors.length; i += 1) {
    const [from, to] = [skyColors[i - 1], skyColors[i]];
    color = mix(color, to[1], smoothstep(from[0], to[0], y));
  }
  const distance = Math.hypot(x - sun.x, y - sun.y);
  color = add(color, sunlight, 0.45 * Math.exp(-distance * 5));
  const bands = fractalNoise(x * 2.2 + 3, y * 11, 5, 4);
  const clouds = smoothstep(0.5, 0.72, bands) * smoothstep(0.6, 0.2, y);
  const lit = mix([0.42, 0.25, 0.45], [1, 0.66, 0.48], smoothstep(0.05, 0.5, y));
  color = mix(color, lit, 0.8 * clouds);
  return mix(color, [1, 0.95, 0.8], smoothstep(sun.radius + 0.003, sun.radius - 0.003, distance));
}

/** Mountains from far to near: the height of the ridge, its color on the side of the sun and on the other. */
const ridges = [
  { base: 0.5, height: 0.3, size: 2.1, seed: 11, lit: [0.86, 0.55, 0.56], dark: [0.55, 0.4, 0.58] },
  {
    base: 0.58,
    height: 0.28,
    size: 2.7,
    seed: 23,
    lit: [0.62, 0.36, 0.48],
    dark: [0.36, 0.27, 0.47],
  },
  {
    base: 0.64,
    height: 0.2,
    size: 3.6,
    seed: 42,
    lit: [0.37, 0.22, 0.36],
    dark: [0.19, 0.15, 0.32],
  },
] as const satisfies readonly {
  readonly lit: Color;
  readonly dark: Color;
  readonly [key: string]: unknown;
}[];

type Ridge = (typeof ridges)[number];

/** Points per unit of x at which the tops of ridges are computed. */
const pointsPerUnit = 600;
const leftmost = -0.1;

const ridgeTops = new Map<Ridge, Float64Array>();

function computeRidgeTops({ base, height, size, seed }: Ridge): Float64Array {
  return Float64Array.from({ length: 1.6 * pointsPerUnit }, (_, i) => {
    const x = leftmost + i / pointsPerUnit;
    const rough = fractalNoise(x * size, 0.5, seed, 6);
    const sharp = 1 - Math.abs(2 * noise(x * size * 0.9, 7.5, seed + 50) - 1);
    return base - height * (0.55 * rough + 0.45 * sharp - 0.3);
  });
}

function ridgeTop(x: number, ridge: Ridge): number {
  if (!ridgeTops.has(ridge)) ridgeTops.set(ridge, computeRidgeTops(ridge));
  const tops = ridgeTops.get(ridge)!;
  const place = Math.min(tops.length - 2, Math.max(0, (x - leftmost) * pointsPerUnit));
  const left = Math.floor(place);
  return tops[left] + (tops[left + 1] - tops[left]) * (place - left);
}

/** Everything above the water. */
function land(x: number, y: number): Color {
  let color = sky(x, y);
  for (const ridge of ridges) {
    const below = y - ridgeTop(x, ridge);
    if (below < 0) continue;
    const slope = ridgeTop(x + 0.012, ridge) - ridgeTop(x - 0.012, ridge);
    const rocks = fractalNoise(x * 16 + below * 22, y * 18 - x * 9, ridge.seed + 7, 4);
    const light = smoothstep(-0.02, 0.02, slope + 0.09 * (rocks - 0.5));
    let rock = mix(ridge.dark, ridge.lit, light);
    if (ridge === ridges[0]) {
      const snow = smoothstep(0.1, 0.03, below + 0.12 * (rocks - 0.5));
      rock = mix(rock, mix([0.68, 0.6, 0.76], [1, 0.88, 0.82], light), snow);
    }
    const mist = smoothstep(0.5, 0.68, y) * 0.55;
    color = mix(rock, [0.97, 0.68, 0.53], mist * (ridge === ridges[2] ? 0.4 : 1));
  }
  return color;
}

function water(x: number, y: number): Color {
  const depth = y - shore;
  const ripple = (noise(x * 9, (depth * 140) / (1 + 4 * depth), 3) - 0.5) * (0.012 + 0.12 * depth);
  const mirrored = land(x + ripple * 0.5, shore - depth * 1.05 + ripple);
  let color = mix(mirrored, [0.12, 0.14, 0.33], 0.22 + 0.5 * smoothstep(0, 0.36, depth));
  const glitter = noise(x * 22, (depth * 190) / (1 + 4 * depth), 9);
  const path = Math.exp(-(((x - sun.x) / (0.03 + 0.22 * depth)) ** 2));
  color = add(color, sunlight, 0.75 * path * smoothstep(0.45, 0.8, glitter));
  return color;
}

/** A pine at the near shore: its trunk's x, the y of its foot, its height. */
const pines = Array.from({ length: 26 }, (_, i) => {
  const at = (k: number): number => noise(i * 7.31 + 0.5, k * 3.7, 77);
  const left = i < 16;
  const x = left ? 0.42 * (i / 15) ** 1.2 : 1.08 + 0.27 * ((i - 16) / 9);
  const edge = left ? 1 - x / 0.42 : (x - 1.08) / 0.27;
  return { x, foot: 0.99 - 0.1 * edge, height: (0.1 + 0.26 * edge) * (0.7 + 0.5 * at(1)) };
});

/** How much of a point a pine covers. */
function pineCover(x: number, y: number, pine: (typeof pines)[number]): number {
  const down = (y - (pine.foot - pine.height)) / pine.height;
  if (down < 0 || down > 1.4) return 0;
  const tier = (down * 7) % 1;
  const half = pine.height * 0.2 * (0.1 + 0.9 * Math.min(1, down)) * (0.5 + 0.55 * tier);
  return smoothstep(half + 0.002, half - 0.002, Math.abs(x - pine.x));
}

/** The color at a point. x is in heights of the picture, from 0 to 4/3; y is from 0 at the top to 1. */
export function landscapeColor(x: number, y: number): Color {
  let color = y < shore ? land(x, y) : water(x, y);
  const bank =
    0.985 -
    0.13 * smoothstep(0.55, 0, x) -
    0.12 * smoothstep(0.95, 1.34, x) +
    0.02 * (fractalNoise(x * 12, 1, 31) - 0.5);
  const grass = fractalNoise(x * 26, y * 26, 63, 3);
  const ground: Color = [0.07 + 0.07 * grass, 0.06 + 0.07 * grass, 0.13 + 0.07 * grass];
  color = mix(color, ground, smoothstep(bank - 0.004, bank + 0.004, y));
  for (const pine of pines) {
    const rim = 0.12 * smoothstep(0.1, 0, Math.abs(x - sun.x) - 0.1);
    color = mix(color, [0.05 + rim, 0.06 + rim * 0.5, 0.12], pineCover(x, y, pine));
  }
  return color;
}

/** A lake at sunset, computed: the mean of 2 × 2 points per pixel. Its width should be 4/3 of its height. */
export function landscape(width: number, height: number): Picture {
  const colors = new Float32Array(3 * width * height);
  const samples = 2;
  for (let i = 0; i < width * height; i += 1) {
    for (let sample = 0; sample < samples ** 2; sample += 1) {
      const x = (i % width) + ((sample % samples) + 0.5) / samples;
      const y = Math.floor(i / width) + (Math.floor(sample / samples) + 0.5) / samples;
      landscapeColor(x / height, y / height).forEach((value, channel) => {
        colors[3 * i + channel] += Math.min(1, Math.max(0, value)) / samples ** 2;
      });
    }
  }
  return { width, height, colors };
}
