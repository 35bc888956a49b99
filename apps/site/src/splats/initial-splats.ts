import type { Picture } from "./picture.js";
import { random } from "./random.js";
import { rowLength } from "./splat-rows.js";

const logit = (value: number): number => {
  const clamped = Math.min(0.98, Math.max(0.02, value));
  return Math.log(clamped / (1 - clamped));
};

/** Rows of parameters to start from: `count` round splats at random points of a grid, with the color of the picture there. */
export function initialSplats(picture: Picture, count: number): Float32Array<ArrayBuffer> {
  const { width, height, colors } = picture;
  const unit = random(1);
  const rows = new Float32Array(count * rowLength);
  const columns = Math.max(1, Math.round(Math.sqrt((count * width) / height)));
  const spacing = Math.sqrt((width * height) / count);
  for (let row = 0; row < count; row += 1) {
    const x = (((row % columns) + unit()) / columns) * width;
    const y = ((Math.floor(row / columns) + unit()) / Math.ceil(count / columns)) * height;
    const pixel = Math.floor(Math.min(y, height - 1)) * width + Math.floor(Math.min(x, width - 1));
    const [red, green, blue] = colors.subarray(3 * pixel, 3 * pixel + 3);
    const scale = Math.log(0.6 * spacing);
    const color = [logit(red), logit(green), logit(blue)];
    const angle = Math.PI * unit();
    rows.set([x, y, scale, scale, ...color, 0, Math.cos(angle), Math.sin(angle)], row * rowLength);
  }
  return rows;
}
