import type { GaussianRows } from "../gaussian-rows.js";
import { readBytes, storage } from "../gpu/buffers.js";
import { Kernel, rowWorkgroups, type BoundKernel } from "../gpu/kernel.js";
import { compositingBackwardCode, compositingCode } from "./compositing.js";
import { depthOrderCode } from "./depth-order.js";
import {
  projectedByteLength,
  projectedGradientLength,
  projectionBackwardCode,
  projectionCode,
} from "./projection.js";
import { tilesPerSide, type RendererOptions } from "./renderer-options.js";
import { maskLength, maskWorkgroups, tileMasksCode } from "./tile-masks.js";

/** Renders views of the activated rows, and adds the gradients of a loss to the gradient rows. */
export class Renderer {
  readonly #rows: GaussianRows;
  readonly #options: RendererOptions;
  readonly #cameraCount: number;
  readonly #views: GPUBuffer;
  readonly #targets: GPUBuffer;
  readonly #images: GPUBuffer;
  readonly #project: BoundKernel;
  readonly #sort: BoundKernel;
  readonly #maskTiles: BoundKernel;
  readonly #composite: BoundKernel;
  readonly #compositeBackward: BoundKernel;
  readonly #projectBackward: BoundKernel;
  #viewCount = 0;

  /** @param cameras Matrices from the world's space to a camera's, 16 values each, column by column. */
  constructor(
    rows: GaussianRows,
    cameras: Float32Array<ArrayBuffer>,
    options: Omit<RendererOptions, "capacity">,
  ) {
    const { device, capacity, countUniform, activated } = rows;
    const all = { ...options, capacity };
    this.#rows = rows;
    this.#options = all;
    this.#cameraCount = cameras.length / 16;
    const pixels = options.size ** 2 * this.#cameraCount;
    const words = (label: string, perCamera: number): GPUBuffer =>
      storage(device, label, perCamera * this.#cameraCount * 4);
    const cameraBuffer = storage(device, "cameras", cameras.byteLength);
    device.queue.writeBuffer(cameraBuffer, 0, cameras);
    this.#views = words("views", 1);
    this.#targets = storage(device, "targets", pixels * 16);
    this.#images = storage(device, "images", pixels * 16);
    const ends = storage(device, "ends", pixels * 4);
    const projected = words("projected", (capacity * projectedByteLength) / 4);
    const projectedGradients = words("projected gradients", capacity * projectedGradientLength);
    const depths = words("depths", capacity);
    const order = words("order", capacity);
    const masks = words("masks", tilesPerSide(all) ** 2 * maskLength(all));

    const kernel = (label: string, code: string): Kernel => new Kernel(device, label, code);
    this.#project = kernel("project", projectionCode(all)).bind(
      countUniform,
      cameraBuffer,
      this.#views,
      activated,
      projected,
      depths,
    );
    this.#sort = kernel("sort", depthOrderCode(all)).bind(countUniform, depths, order);
    this.#maskTiles = kernel("mask tiles", tileMasksCode(all)).bind(
      countUniform,
      projected,
      order,
      masks,
    );
    this.#composite = kernel("composite", compositingCode(all)).bind(
      projected,
      order,
      masks,
      countUniform,
      this.#images,
      ends,
    );
    this.#compositeBackward = kernel("composite, backward", compositingBackwardCode(all)).bind(
      projected,
      order,
      masks,
      this.#images,
      ends,
      this.#targets,
      this.#views,
      projectedGradients,
    );
    this.#projectBackward = kernel("project, backward", projectionBackwardCode(all)).bind(
      countUniform,
      cameraBuffer,
      this.#views,
      activated,
      projectedGradients,
      rows.gradients,
      rows.statistics,
    );
  }

  /** Selects the cameras of the next passes, at the queue's time. */
  setViews(views: readonly number[]): void {
    this.#viewCount = views.length;
    this.#rows.device.queue.writeBuffer(this.#views, 0, Uint32Array.from(views));
  }

  /** Makes the images of the views from the activated rows. */
  forward(pass: GPUComputePassEncoder): void {
    const groups = rowWorkgroups(this.#rows.count);
    const tiles = tilesPerSide(this.#options);
    this.#project.dispatch(pass, groups, this.#viewCount);
    this.#sort.dispatch(pass, groups, this.#viewCount);
    this.#maskTiles.dispatch(pass, maskWorkgroups(this.#rows.count), tiles ** 2, this.#viewCount);
    this.#composite.dispatch(pass, tiles, tiles, this.#viewCount);
  }

  /** Adds the gradients of the loss to the gradient rows. Follows `forward`. */
  backward(pass: GPUComputePassEncoder): void {
    const tiles = tilesPerSide(this.#options);
    this.#compositeBackward.dispatch(pass, tiles, tiles, this.#viewCount);
    this.#projectBackward.dispatch(pass, rowWorkgroups(this.#rows.count), this.#viewCount);
  }

  /** Images of all cameras: four values per pixel, color and transmittance. */
  async render(): Promise<Float32Array<ArrayBuffer>> {
    const { device } = this.#rows;
    this.setViews(Array.from({ length: this.#cameraCount }, (_, camera) => camera));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.forward(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
    return new Float32Array(await readBytes(device, this.#images, this.#images.size));
  }

  /** The images of all cameras that the backward pass compares with. */
  setTargets(images: Float32Array<ArrayBuffer>): void {
    this.#rows.device.queue.writeBuffer(this.#targets, 0, images);
  }
}
