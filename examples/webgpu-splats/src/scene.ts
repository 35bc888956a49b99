import { attributes, mirrorStride, gradientStride } from "./attributes.js";
import { storage } from "./buffers.js";
import { Random } from "./random.js";

const harmonics = attributes.find(({ name }) => name === "harmonics")!;

/** Simulates the other parts of a trainer: the backward pass, the renderer's buffer, and the choice of rows to split. */
export class Scene {
  readonly device: GPUDevice;
  /** The largest number of rows. */
  readonly capacity: number;
  /** Written by the backward pass: f16 in structs. */
  readonly gradients: GPUBuffer;
  /** Written by the backward pass: f32. */
  readonly harmonicGradients: GPUBuffer;
  /** The number of image tiles that each row was in. A row with 0 has no gradient. */
  readonly tiles: GPUBuffer;
  /** The number of rows that replace each row when the scene is densified: none, one or two. */
  readonly successors: GPUBuffer;
  /** Read by the renderer: f16 in structs. */
  readonly mirror: GPUBuffer;
  readonly #random: Random;
  readonly #gradientValues: Uint16Array<ArrayBuffer>;
  readonly #harmonicValues: Float32Array<ArrayBuffer>;

  constructor(device: GPUDevice, capacity: number) {
    this.device = device;
    this.capacity = capacity;
    this.gradients = storage(device, "gradients", capacity * gradientStride * 2);
    this.harmonicGradients = storage(device, "harmonics", capacity * harmonics.columns * 4);
    this.tiles = storage(device, "tiles", capacity * 4);
    this.successors = storage(device, "successors", capacity * 4);
    this.mirror = storage(device, "mirror", capacity * mirrorStride * 2);
    const random = new Random(1);
    this.#random = random;
    // The bits of f16 values between 2⁻⁸ and 1 with either sign.
    this.#gradientValues = Uint16Array.from(
      { length: capacity * gradientStride },
      () => (random.below(2) << 15) | ((7 + random.below(8)) << 10) | random.below(1024),
    );
    this.#harmonicValues = Float32Array.from(
      { length: capacity * harmonics.columns },
      () => random.unit() - 0.5,
    );
  }

  /** The initial values of all attributes. */
  initial(rows: number): Record<string, Float32Array<ArrayBuffer>> {
    return Object.fromEntries(
      attributes.map(({ name, columns }) => [
        name,
        Float32Array.from({ length: rows * columns }, () => this.#random.unit() * 2 - 1),
      ]),
    );
  }

  /** Writes gradients and tile counts to the device. */
  backward(rows: number): void {
    const { queue } = this.device;
    const from = this.#random.below(this.capacity - rows + 1);
    queue.writeBuffer(
      this.gradients,
      0,
      this.#gradientValues,
      from * gradientStride,
      rows * gradientStride,
    );
    queue.writeBuffer(
      this.harmonicGradients,
      0,
      this.#harmonicValues,
      from * harmonics.columns,
      rows * harmonics.columns,
    );
    const tiles = Uint32Array.from({ length: rows }, () => Math.max(0, this.#random.below(12) - 3));
    queue.writeBuffer(this.tiles, 0, tiles);
  }

  /** Chooses the rows that are pruned and the rows that are split. */
  chooseSuccessors(rows: number): void {
    const successors = Uint32Array.from({ length: rows }, () => {
      const chance = this.#random.unit();
      return chance < 0.1 ? 0 : chance < 0.22 ? 2 : 1;
    });
    this.device.queue.writeBuffer(this.successors, 0, successors);
  }
}
