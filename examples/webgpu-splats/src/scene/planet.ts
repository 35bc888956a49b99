import { gaussianRows, rowLength, type GaussianValues } from "../gaussian-rows.js";
import { Random } from "./random.js";

type Vector = readonly [number, number, number];

const goldenAngle = Math.PI * (3 - Math.sqrt(5));

/** Colors of the planet's bands, from pole to pole, and of the ring, from the inside. */
const bands: readonly Vector[] = [
  [0.93, 0.89, 0.8],
  [0.85, 0.6, 0.38],
  [0.95, 0.8, 0.55],
  [0.7, 0.3, 0.2],
  [0.97, 0.87, 0.7],
  [0.35, 0.5, 0.65],
  [0.8, 0.88, 0.92],
];
const ring: readonly Vector[] = [
  [0.3, 0.55, 0.85],
  [0.55, 0.75, 0.95],
  [0.95, 0.95, 0.9],
  [0.9, 0.55, 0.75],
];

/** The rotation from the z axis to a unit vector, as a quaternion (x, y, z, w). */
function rotationTo([x, y, z]: Vector): readonly number[] {
  if (z < -0.9999) return [1, 0, 0, 0];
  const w = Math.sqrt((1 + z) / 2);
  return [-y / (2 * w), x / (2 * w), 0, w];
}

/** A disk that is tangent to a surface, activated. */
const disk = (position: Vector, normal: Vector, radius: number, color: Vector): GaussianValues => ({
  position,
  opacity: 0.95,
  scale: [radius, radius, 0.01],
  rotation: rotationTo(normal),
  color,
});

/** The scene that training reconstructs, as activated rows: a planet with bands, and a tilted ring. */
export function planet(): Float32Array<ArrayBuffer> {
  const random = new Random(7);
  const shade = ([r, g, b]: Vector): Vector => {
    const light = 0.9 + 0.2 * random.unit();
    return [Math.min(1, r * light), Math.min(1, g * light), Math.min(1, b * light)];
  };
  const disks: GaussianValues[] = [];
  const surface = 360;
  for (let k = 0; k < surface; k += 1) {
    const y = 1 - (2 * k + 1) / surface;
    const angle = k * goldenAngle;
    const around = Math.sqrt(1 - y * y);
    const normal: Vector = [around * Math.cos(angle), y, around * Math.sin(angle)];
    const wave = y + 0.06 * Math.sin(3 * angle);
    const band = Math.floor(((1 - wave) / 2) * bands.length);
    const color = shade(bands[Math.min(bands.length - 1, Math.max(0, band))]);
    const position: Vector = [0.62 * normal[0], 0.62 * normal[1], 0.62 * normal[2]];
    disks.push(disk(position, normal, 0.05, color));
  }
  const tilt = 0.4;
  const normal: Vector = [Math.sin(tilt), Math.cos(tilt), 0];
  ring.forEach((color, circle) => {
    const radius = 0.86 + 0.1 * circle;
    const count = Math.round(radius * 70);
    for (let k = 0; k < count; k += 1) {
      const angle = (2 * Math.PI * (k + circle / 2)) / count;
      const [x, z] = [radius * Math.cos(angle), radius * Math.sin(angle)];
      const position: Vector = [x * Math.cos(tilt), -x * Math.sin(tilt), z];
      disks.push(disk(position, normal, 0.042, shade(color)));
    }
  });
  return gaussianRows(disks);
}

/** Parameters to start from: gray, transparent spheres at random places of the scene. */
export function pointCloud(count: number): Float32Array<ArrayBuffer> {
  const random = new Random(3);
  const coordinate = (): number => 2.4 * (random.unit() - 0.5);
  return gaussianRows(
    Array.from({ length: count }, () => ({
      position: [coordinate(), coordinate(), coordinate()],
      opacity: Math.log(0.1 / 0.9),
      scale: [Math.log(0.15), Math.log(0.15), Math.log(0.15)],
      rotation: [0, 0, 0, 1],
      color: [0, 0, 0],
    })),
  );
}

export const rowCount = (rows: Float32Array): number => rows.length / rowLength;
