import type { Picture } from "../picture.js";
import { backgroundWeight, cutoff, rowLength } from "../splat-rows.js";

type Rows = Float32Array | Float64Array;

/** What a splat does to its pixels. */
export interface SplatStatistics {
  /** The number of pixels that it colors: a pixel of two equal splats is half a pixel of each. */
  readonly coverage: Float64Array;
  /** The squared error of these pixels. */
  readonly error: Float64Array;
}

/**
 * The renderer in plain JavaScript, with arithmetic in f64. A splat i has the weight wᵢ = opacity · exp(−q / 2) at a pixel,
 * where q is the squared distance in standard deviations. The color of a pixel is Σ wᵢ cᵢ / (Σ wᵢ + backgroundWeight).
 */
export class Renderer {
  readonly width: number;
  readonly height: number;
  /** Four values per pixel, after `forward`: red, green, blue, and the sum of weights. */
  readonly image: Float64Array;

  constructor({ width, height }: Pick<Picture, "width" | "height">) {
    this.width = width;
    this.height = height;
    this.image = new Float64Array(4 * width * height);
  }

  /** Renders the first `count` activated rows. */
  forward(rows: Rows, count: number): void {
    const { image } = this;
    image.fill(0);
    for (let row = 0; row < count; row += 1) {
      const at = row * rowLength;
      const [red, green, blue, opacity] = rows.subarray(at + 4, at + 8);
      this.#visit(rows, row, (pixel, density) => {
        const weight = opacity * density;
        image[4 * pixel] += weight * red;
        image[4 * pixel + 1] += weight * green;
        image[4 * pixel + 2] += weight * blue;
        image[4 * pixel + 3] += weight;
      });
    }
    for (let i = 0; i < image.length; i += 4) {
      image[i + 3] += backgroundWeight;
      for (let channel = 0; channel < 3; channel += 1) image[i + channel] /= image[i + 3];
    }
  }

  /** The sum of squared differences of all channels, after `forward`. */
  squaredError({ colors }: Picture): number {
    let sum = 0;
    for (let i = 0; i < colors.length; i += 1) {
      const pixel = Math.floor(i / 3);
      sum += (this.image[4 * pixel + (i % 3)] - colors[i]) ** 2;
    }
    return sum;
  }

  /**
   * Adds the gradients of half the squared error by the activated rows, after `forward`.
   * @param statistics the first `count` values are replaced
   */
  backward(
    rows: Rows,
    count: number,
    { colors }: Picture,
    gradients: Rows,
    statistics?: SplatStatistics,
  ): void {
    const { image } = this;
    for (let row = 0; row < count; row += 1) {
      const at = row * rowLength;
      const [, , scaleX, scaleY, red, green, blue, opacity, cosine, sine] = rows.subarray(
        at,
        at + 10,
      );
      let [dX, dY, dScaleX, dScaleY] = [0, 0, 0, 0];
      let [dRed, dGreen, dBlue, dOpacity, dAngle] = [0, 0, 0, 0, 0];
      let [coverage, error] = [0, 0];
      this.#visit(rows, row, (pixel, density, a, b) => {
        const weight = opacity * density;
        const total = image[4 * pixel + 3];
        const share = weight / total;
        const errorRed = image[4 * pixel] - colors[3 * pixel];
        const errorGreen = image[4 * pixel + 1] - colors[3 * pixel + 1];
        const errorBlue = image[4 * pixel + 2] - colors[3 * pixel + 2];
        coverage += share;
        error += share * (errorRed ** 2 + errorGreen ** 2 + errorBlue ** 2);
        dRed += share * errorRed;
        dGreen += share * errorGreen;
        dBlue += share * errorBlue;
        const dWeight =
          (errorRed * (red - image[4 * pixel]) +
            errorGreen * (green - image[4 * pixel + 1]) +
            errorBlue * (blue - image[4 * pixel + 2])) /
          total;
        dOpacity += density * dWeight;
        // By the offset of the pixel in standard deviations, a along the first axis and b along the second.
        const dA = -weight * dWeight * a;
        const dB = -weight * dWeight * b;
        dX += (dB * sine) / scaleY - (dA * cosine) / scaleX;
        dY += -(dA * sine) / scaleX - (dB * cosine) / scaleY;
        dScaleX -= (dA * a) / scaleX;
        dScaleY -= (dB * b) / scaleY;
        dAngle += (dA * b * scaleY) / scaleX - (dB * a * scaleX) / scaleY;
      });
      // The length of a rotation is always 1, so that only the direction across it counts.
      const dRotation = [-sine * dAngle, cosine * dAngle];
      const columns = [dX, dY, dScaleX, dScaleY, dRed, dGreen, dBlue, dOpacity, ...dRotation];
      columns.forEach((value, k) => {
        gradients[at + k] += value;
      });
      if (statistics !== undefined) {
        statistics.coverage[row] = coverage;
        statistics.error[row] = error;
      }
    }
  }

  /** Calls back for the pixels of a splat, with exp(−q / 2) and the offset in standard deviations along its axes. */
  #visit(
    rows: Rows,
    row: number,
    visit: (pixel: number, density: number, a: number, b: number) => void,
  ): void {
    const at = row * rowLength;
    const [x, y, scaleX, scaleY] = rows.subarray(at, at + 4);
    const [cosine, sine] = rows.subarray(at + 8, at + 10);
    const reachX = Math.sqrt(cutoff) * Math.hypot(cosine * scaleX, sine * scaleY);
    const reachY = Math.sqrt(cutoff) * Math.hypot(sine * scaleX, cosine * scaleY);
    const left = Math.max(0, Math.floor(x - reachX));
    const right = Math.min(this.width, Math.ceil(x + reachX));
    const top = Math.max(0, Math.floor(y - reachY));
    const bottom = Math.min(this.height, Math.ceil(y + reachY));
    for (let pixelY = top; pixelY < bottom; pixelY += 1) {
      for (let pixelX = left; pixelX < right; pixelX += 1) {
        const offsetX = pixelX + 0.5 - x;
        const offsetY = pixelY + 0.5 - y;
        const a = (cosine * offsetX + sine * offsetY) / scaleX;
        const b = (cosine * offsetY - sine * offsetX) / scaleY;
        const q = a * a + b * b;
        if (q <= cutoff) visit(pixelY * this.width + pixelX, Math.exp(-q / 2), a, b);
      }
    }
  }
}
