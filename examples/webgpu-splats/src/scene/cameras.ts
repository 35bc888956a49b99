type Vector = readonly [number, number, number];

const normalize = ([x, y, z]: Vector): Vector => {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
};
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** In widths of an image. */
export const focalLength = 1.15;

/** A matrix, column by column, from the world's space (y is up) to that of a camera (y is down, z is forward) that looks at the origin. */
function lookAtOrigin(eye: Vector): readonly number[] {
  const forward = normalize([-eye[0], -eye[1], -eye[2]]);
  const right = normalize(cross(forward, [0, 1, 0]));
  const down = cross(forward, right);
  const axes = [right, down, forward];
  return [
    ...[0, 1, 2].flatMap((k) => [...axes.map((axis) => axis[k]), 0]),
    ...axes.map((axis) => -dot(axis, eye)),
    1,
  ];
}

/** Cameras around the origin at three heights, 16 values each. @param turn the angle of the first one */
export function camerasAround(count: number, turn: number): Float32Array<ArrayBuffer> {
  const distance = 3;
  const heights = [0.15, 0.6, -0.35];
  return Float32Array.from(
    Array.from({ length: count }, (_, camera) => {
      const angle = (2 * Math.PI * camera) / count + turn;
      const height = heights[camera % heights.length];
      return lookAtOrigin([
        distance * Math.cos(height) * Math.sin(angle),
        distance * Math.sin(height),
        distance * Math.cos(height) * Math.cos(angle),
      ]);
    }).flat(),
  );
}
