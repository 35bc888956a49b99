import type { Picture } from "../picture.js";
import { backwardCode } from "./backward.js";
import { forwardCode } from "./forward.js";
import { Kernel, rowWorkgroups } from "./kernel.js";
import { projectionCode } from "./projection.js";
import type { SplatBuffers } from "./splat-buffers.js";
import { tileListsCode, tilingOf, type Tiling } from "./tiles.js";

const projectedByteLength = 48;

/** Renders the activated rows, and adds the gradients of half the squared error to the gradient rows. */
export class Renderer {
  readonly tiling: Tiling;
  /** A vec4f per pixel: color and sum of weights. Also what is to be seen: the colors of the picture. */
  readonly image: GPUBuffer;
  readonly picture: GPUBuffer;
  readonly #capacity: number;
  readonly #project: Kernel;
  readonly #listTiles: Kernel;
  readonly #forward: Kernel;
  readonly #backward: Kernel;

  constructor(splats: SplatBuffers, picture: Picture) {
    const { device, buffers, capacity, count, activated, gradients, statistics } = splats;
    const { width, height } = picture;
    const tiling = tilingOf(width, height);
    const tiles = tiling.columns * tiling.rows;
    this.tiling = tiling;
    this.#capacity = capacity;
    this.image = buffers.storage("image", width * height * 16);
    this.picture = buffers.storage("picture", width * height * 16);
    device.queue.writeBuffer(this.picture, 0, paddedColors(picture));
    const projected = buffers.storage("projected", capacity * projectedByteLength);
    const lengths = buffers.storage("lengths of lists", tiles * 4);
    const lists = buffers.storage("lists", tiles * capacity * 4);
    const tileInput = [projected, lengths, lists];
    this.#project = new Kernel(device, "project", projectionCode, [
      count,
      activated,
      projected,
      statistics,
    ]);
    this.#listTiles = new Kernel(device, "list tiles", tileListsCode(tiling), [
      count,
      ...tileInput,
    ]);
    this.#forward = new Kernel(device, "forward", forwardCode(tiling), [...tileInput, this.image]);
    this.#backward = new Kernel(device, "backward", backwardCode(tiling), [
      ...tileInput,
      this.image,
      this.picture,
      gradients,
      statistics,
    ]);
  }

  /** Records the computation of the image. */
  forward(pass: GPUComputePassEncoder): void {
    const { columns, rows } = this.tiling;
    this.#project.dispatch(pass, rowWorkgroups(this.#capacity));
    this.#listTiles.dispatch(pass, columns, rows);
    this.#forward.dispatch(pass, columns, rows);
  }

  /** Records the computation of gradients and statistics. Follows `forward`. */
  backward(pass: GPUComputePassEncoder): void {
    this.#backward.dispatch(pass, this.tiling.columns, this.tiling.rows);
  }
}

/** Four values per pixel, as an array of vec4f has them. */
function paddedColors({ colors }: Picture): Float32Array<ArrayBuffer> {
  const padded = new Float32Array((colors.length / 3) * 4);
  colors.forEach((value, i) => {
    padded[4 * Math.floor(i / 3) + (i % 3)] = value;
  });
  return padded;
}
