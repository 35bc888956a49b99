import { attributes, copyStride, gradientStride } from "./attributes.js";
import { storage } from "./buffers.js";
import { Random } from "./random.js";

const harmonics = attributes.find(({ name }) => name === "harmonics")!;

/** Everything of a trainer but its optimizer, simulated: the backward pass, the renderer's buffer, and who is split. */
export class Scene {
  readonly device: GPUDevice;
  /** Rows for which there is room. */
  readonly capacity: number;
  /** From the backward pass: f16 in structs. */
  readonly gradients: GPUBuffer;
  /** From the backward pass: f32. */
  readonly harmonicGradients: GPUBuffer;
  /** How many tiles of the image each row was in; a row that was in none has no gradient. */
  readonly tiles: GPUBuffer;
  /** How many rows come of each when the scene is densified: none, one or two. */
  readonly successors: GPUBuffer;
  /** For the renderer: f16 in structs. */
  readonly copies: GPUBuffer;
  readonly #random: Random;
  readonly #halves: Uint16Array<ArrayBuffer>;
  readonly #singles: Float32Array<ArrayBuffer>;

  constructor(device: GPUDevice, capacity: number) {
    this.device = device;
    this.capacity = capacity;
    this.gradients = storage(device, "gradients", capacity * gradientStride * 2);
    this.harmonicGradients = storage(device, "harmonics", capacity * harmonics.columns * 4);
    this.tiles = storage(device, "tiles", capacity * 4);
    this.successors = storage(device, "successors", capacity * 4);
    this.copies = storage(device, "copies", capacity * copyStride * 2);
    const random = new Random(1);
    this.#random = random;
    // f16 between 2⁻⁸ and 1, of either sign.
    this.#halves = Uint16Array.from(
      { length: capacity * gradientStride },
      () => (random.below(2) << 15) | ((7 + random.below(8)) << 10) | random.below(1024),
    );
    this.#singles = Float32Array.from(
      { length: capacity * harmonics.columns },
      () => random.unit() - 0.5,
    );
  }

  /** First values of all attributes. */
  initial(rows: number): Record<string, Float32Array<ArrayBuffer>> {
    return Object.fromEntries(
      attributes.map(({ name, columns }) => [
        name,
        Float32Array.from({ length: rows * columns }, () => this.#random.unit() * 2 - 1),
      ]),
    );
  }

  /** Leaves gradients and tile counts on the device. */
  backward(rows: number): void {
    const { queue } = this.device;
    const from = this.#random.below(this.capacity - rows + 1);
    queue.writeBuffer(
      this.gradients,
      0,
      this.#halves,
      from * gradientStride,
      rows * gradientStride,
    );
    queue.writeBuffer(
      this.harmonicGradients,
      0,
      this.#singles,
      from * harmonics.columns,
      rows * harmonics.columns,
    );
    const tiles = Uint32Array.from({ length: rows }, () => Math.max(0, this.#random.below(12) - 3));
    queue.writeBuffer(this.tiles, 0, tiles);
  }

  /** Decides which rows are pruned and which are split. */
  judge(rows: number): void {
    const successors = Uint32Array.from({ length: rows }, () => {
      const chance = this.#random.unit();
      return chance < 0.1 ? 0 : chance < 0.22 ? 2 : 1;
    });
    this.device.queue.writeBuffer(this.successors, 0, successors);
  }
}
