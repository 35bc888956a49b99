import { pixelsPerDigit, side } from "@gradstep/digits";

/** Width and height of a drawing in points. */
export const drawingSize = 112;

/** The radius of the pen in points. */
const penRadius = 6;

/** The digits of the data set fit into a square of this many pixels, and have their center of mass in the middle. */
const fittedSide = 20;

/** A digit that is drawn with a pen. Coordinates are points from the top left corner. */
export class Drawing {
  /** 0 is paper, 1 is ink; row by row. */
  readonly ink: Float32Array<ArrayBuffer> = new Float32Array(drawingSize ** 2);

  get isEmpty(): boolean {
    return this.ink.every((value) => value === 0);
  }

  clear(): void {
    this.ink.fill(0);
  }

  /** Draws a line with round ends. */
  line(fromX: number, fromY: number, toX: number, toY: number): void {
    const steps = Math.max(1, Math.ceil(Math.hypot(toX - fromX, toY - fromY)));
    for (let step = 0; step <= steps; step += 1) {
      const part = step / steps;
      this.#dot(fromX + (toX - fromX) * part, fromY + (toY - fromY) * part);
    }
  }

  /** The drawing as 28 × 28 pixels, in the size and place of the digits that the network has learned. */
  pixels(): Float32Array<ArrayBuffer> {
    const pixels = new Float32Array(pixelsPerDigit);
    const box = this.#bounds();
    if (box === undefined) return pixels;
    // Points per pixel.
    const scale = Math.max(box.right - box.left, box.bottom - box.top) / fittedSide;
    const middle = (side - 1) / 2;
    const center = this.#center();
    const half = scale / 2;
    for (let row = 0; row < side; row += 1) {
      for (let column = 0; column < side; column += 1) {
        const x = center.x + (column - middle) * scale;
        const y = center.y + (row - middle) * scale;
        pixels[row * side + column] = this.#mean(x - half, y - half, x + half, y + half);
      }
    }
    return pixels;
  }

  #dot(x: number, y: number): void {
    const reach = Math.ceil(penRadius + 1);
    for (let row = Math.floor(y) - reach; row <= y + reach; row += 1) {
      for (let column = Math.floor(x) - reach; column <= x + reach; column += 1) {
        if (row < 0 || column < 0 || row >= drawingSize || column >= drawingSize) continue;
        const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
        const value = Math.min(1, Math.max(0, penRadius + 0.5 - distance));
        const index = row * drawingSize + column;
        this.ink[index] = Math.max(this.ink[index], value);
      }
    }
  }

  #bounds() {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    this.ink.forEach((value, index) => {
      if (value === 0) return;
      const [x, y] = [index % drawingSize, Math.floor(index / drawingSize)];
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    });
    return left === Infinity ? undefined : { left, top, right, bottom };
  }

  #center() {
    let [x, y, sum] = [0, 0, 0];
    this.ink.forEach((value, index) => {
      x += value * ((index % drawingSize) + 0.5);
      y += value * (Math.floor(index / drawingSize) + 0.5);
      sum += value;
    });
    return { x: x / sum, y: y / sum };
  }

  /** The mean ink of a rectangle; outside of the drawing is paper. */
  #mean(left: number, top: number, right: number, bottom: number): number {
    let sum = 0;
    for (let row = Math.max(0, Math.floor(top)); row < Math.min(drawingSize, bottom); row += 1) {
      const height = Math.min(row + 1, bottom) - Math.max(row, top);
      for (
        let column = Math.max(0, Math.floor(left));
        column < Math.min(drawingSize, right);
        column += 1
      ) {
        const width = Math.min(column + 1, right) - Math.max(column, left);
        sum += this.ink[row * drawingSize + column] * width * height;
      }
    }
    return sum / ((right - left) * (bottom - top));
  }
}
