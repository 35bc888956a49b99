import type { Picture } from "../picture.js";
import { rowLength } from "../splat-rows.js";
import { differenceGain, ellipseRadius, zoomOf, type Canvases, type View } from "../view.js";
import type { CpuTrainer } from "./trainer.js";

/** Shows a training on canvases with two-dimensional contexts. */
export class CpuView implements View {
  readonly #trainer: CpuTrainer;
  readonly #picture: Picture;
  readonly #zoom: number;
  readonly #contexts: Readonly<Record<keyof Canvases, OffscreenCanvasRenderingContext2D>>;
  /** As large as the picture, to be drawn larger. */
  readonly #pixels: OffscreenCanvas;

  constructor(canvases: Canvases, trainer: CpuTrainer, picture: Picture) {
    const { width, height } = picture;
    this.#trainer = trainer;
    this.#picture = picture;
    this.#zoom = zoomOf(width);
    this.#pixels = new OffscreenCanvas(width, height);
    const prepare = (canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D => {
      canvas.width = this.#zoom * width;
      canvas.height = this.#zoom * height;
      const context = canvas.getContext("2d", { alpha: false })!;
      context.imageSmoothingEnabled = false;
      return context;
    };
    this.#contexts = {
      picture: prepare(canvases.picture),
      fit: prepare(canvases.fit),
      difference: prepare(canvases.difference),
    };
    this.#drawPixels(this.#contexts.picture, (i) => picture.colors[i]);
  }

  draw(ellipses: boolean): void {
    const { image } = this.#trainer.renderer;
    const { colors } = this.#picture;
    const pixelOf = (i: number): number => 4 * Math.floor(i / 3) + (i % 3);
    if (ellipses) this.#drawEllipses();
    else this.#drawPixels(this.#contexts.fit, (i) => image[pixelOf(i)]);
    this.#drawPixels(
      this.#contexts.difference,
      (i) => differenceGain * Math.abs(image[pixelOf(i)] - colors[i]),
    );
  }

  /** @param valueAt the value from 0 to 1 of a channel, three per pixel */
  #drawPixels(
    context: OffscreenCanvasRenderingContext2D,
    valueAt: (index: number) => number,
  ): void {
    const { width, height } = this.#picture;
    const pixels = new ImageData(width, height);
    for (let i = 0; i < 3 * width * height; i += 1) {
      const at = 4 * Math.floor(i / 3);
      pixels.data[at + (i % 3)] = 255 * valueAt(i);
      pixels.data[at + 3] = 255;
    }
    this.#pixels.getContext("2d")!.putImageData(pixels, 0, 0);
    context.drawImage(this.#pixels, 0, 0, this.#zoom * width, this.#zoom * height);
  }

  #drawEllipses(): void {
    const { fit } = this.#contexts;
    const { activated, count } = this.#trainer;
    const zoom = this.#zoom;
    fit.fillStyle = "#000";
    fit.fillRect(0, 0, fit.canvas.width, fit.canvas.height);
    for (let row = 0; row < count; row += 1) {
      const splat = activated.subarray(row * rowLength, (row + 1) * rowLength);
      const [x, y, scaleX, scaleY, red, green, blue, opacity, cosine, sine] = splat;
      const color = (factor: number): string =>
        `rgb(${[red, green, blue].map((value) => Math.round(255 * factor * value)).join(" ")})`;
      const radius = zoom * ellipseRadius;
      fit.beginPath();
      fit.ellipse(
        zoom * x,
        zoom * y,
        radius * scaleX,
        radius * scaleY,
        Math.atan2(sine, cosine),
        0,
        2 * Math.PI,
      );
      fit.globalAlpha = 0.35 + 0.65 * opacity;
      fit.fillStyle = color(1);
      fit.fill();
      fit.strokeStyle = color(0.55);
      fit.stroke();
    }
    fit.globalAlpha = 1;
  }
}
