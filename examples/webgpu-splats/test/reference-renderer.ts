import { rowLength } from "../src/gaussian-rows.js";

/** For each pixel, the Gaussians that it shows, from front to back. */
type Contributors = readonly (readonly number[])[];

interface Footprint {
  readonly depth: number;
  readonly mean: readonly [number, number];
  /** Entries xx, xy, yy of the inverse covariance. */
  readonly conic: readonly [number, number, number];
}

type Matrix = readonly (readonly number[])[];

const multiply = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)));
const transpose = (a: Matrix): Matrix => a[0].map((_, j) => a.map((row) => row[j]));

/** A renderer of activated rows in f64, without tiles, for comparison. */
export class ReferenceRenderer {
  readonly #size: number;
  readonly #focal: number;

  constructor(size: number, focalLength: number) {
    this.#size = size;
    this.#focal = size * focalLength;
  }

  /** Which Gaussians each pixel shows; the derivative of the image is taken for these. */
  contributors(rows: Float64Array, camera: Float32Array): Contributors {
    const footprints = this.#project(rows, camera);
    const order = footprints.map((_, i) => i);
    order.sort((a, b) => footprints[a].depth - footprints[b].depth);
    return this.#pixels((x, y) => {
      const shown: number[] = [];
      let transmittance = 1;
      for (const row of order) {
        const alpha = this.#alpha(rows, row, footprints[row], x, y);
        if (alpha < 1 / 255) continue;
        if (transmittance * (1 - alpha) < 1e-4) break;
        transmittance *= 1 - alpha;
        shown.push(row);
      }
      return shown;
    });
  }

  /** Four values per pixel, color and transmittance. */
  render(rows: Float64Array, camera: Float32Array, contributors: Contributors): number[] {
    const footprints = this.#project(rows, camera);
    return this.#pixels((x, y) => {
      const color = [0, 0, 0];
      let transmittance = 1;
      for (const row of contributors[y * this.#size + x]) {
        const alpha = this.#alpha(rows, row, footprints[row], x, y);
        for (const k of [0, 1, 2])
          color[k] += transmittance * alpha * rows[row * rowLength + 12 + k];
        transmittance *= 1 - alpha;
      }
      return [...color, transmittance];
    }).flat();
  }

  #pixels<T>(value: (x: number, y: number) => T): T[] {
    return Array.from({ length: this.#size ** 2 }, (_, i) =>
      value(i % this.#size, Math.floor(i / this.#size)),
    );
  }

  #alpha(
    rows: Float64Array,
    row: number,
    { mean, conic }: Footprint,
    x: number,
    y: number,
  ): number {
    const [dx, dy] = [mean[0] - x - 0.5, mean[1] - y - 0.5];
    const distance = conic[0] * dx * dx + 2 * conic[1] * dx * dy + conic[2] * dy * dy;
    return Math.min(0.99, rows[row * rowLength + 3] * Math.exp(-distance / 2));
  }

  #project(rows: Float64Array, camera: Float32Array): Footprint[] {
    const world = [0, 1, 2].map((i) => [camera[i], camera[4 + i], camera[8 + i]]);
    return Array.from({ length: rows.length / rowLength }, (_, i) => {
      const row = rows.subarray(i * rowLength, (i + 1) * rowLength);
      const [x, y, z] = world.map(
        (line, k) => line[0] * row[0] + line[1] * row[1] + line[2] * row[2] + camera[12 + k],
      );
      const f = this.#focal / z;
      const jacobian = [
        [f, 0, (-f * x) / z],
        [0, f, (-f * y) / z],
      ];
      const axes = rotation(row.subarray(8, 12)).map((line) =>
        line.map((value, k) => value * row[4 + k]),
      );
      const screenAxes = multiply(multiply(jacobian, world), axes);
      const [[a, b], [, c]] = multiply(screenAxes, transpose(screenAxes));
      const determinant = (a + 0.3) * (c + 0.3) - b * b;
      return {
        depth: z,
        mean: [f * x + this.#size / 2, f * y + this.#size / 2],
        conic: [(c + 0.3) / determinant, -b / determinant, (a + 0.3) / determinant],
      };
    });
  }
}

/** The matrix of a quaternion (x, y, z, w) of any length: v ↦ q·v·q⁻¹, applied to the axes. */
function rotation(quaternion: Float64Array): Matrix {
  const length = Math.hypot(...quaternion);
  const [x, y, z, w] = quaternion.map((value) => value / length);
  const rotate = ([a, b, c]: readonly number[]): number[] => {
    const [tx, ty, tz] = [2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)];
    return [
      a + w * tx + y * tz - z * ty,
      b + w * ty + z * tx - x * tz,
      c + w * tz + x * ty - y * tx,
    ];
  };
  return transpose([rotate([1, 0, 0]), rotate([0, 1, 0]), rotate([0, 0, 1])]);
}
