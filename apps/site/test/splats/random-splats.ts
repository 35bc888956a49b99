import type { Picture } from "../../src/splats/picture.js";
import { random } from "../../src/splats/random.js";
import { rowLength } from "../../src/splats/splat-rows.js";

/** Activated rows of splats inside and at the border of a picture, long and short, opaque and transparent. */
export function randomSplats(count: number, { width, height }: Picture): Float32Array<ArrayBuffer> {
  const unit = random(5);
  const rows = new Float32Array(count * rowLength);
  const between = (low: number, high: number): number => low + (high - low) * unit();
  for (let row = 0; row < count; row += 1) {
    const position = [between(-3, width + 3), between(-3, height + 3)];
    const scale = [between(0.7, 5), between(0.7, 5)];
    const color = [unit(), unit(), unit()];
    const angle = between(-4, 4);
    const rotation = [Math.cos(angle), Math.sin(angle)];
    rows.set([...position, ...scale, ...color, between(0.1, 0.98), ...rotation], row * rowLength);
  }
  return rows;
}

/** A picture of random colors. */
export function randomPicture(width: number, height: number): Picture {
  const unit = random(9);
  return { width, height, colors: Float32Array.from({ length: 3 * width * height }, unit) };
}
