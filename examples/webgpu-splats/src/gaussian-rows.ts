import { storage, uniform } from "./gpu/buffers.js";

/**
 * A Gaussian is a row of 16 values. There are three arrays of such rows: the parameters that are
 * trained, their activated values, which the renderer reads, and gradients by the activated values.
 */
export const rowLength = 16;

/** How a trained parameter becomes the value that the renderer uses. */
export type Activation = "identity" | "exp" | "sigmoid" | "normalize";

/** A property of a Gaussian. */
export interface Attribute {
  /** Index of its first value in a row. */
  readonly offset: number;
  readonly columns: number;
  readonly activation: Activation;
  /** At the beginning. */
  readonly learningRate: number;
  /** Its rate decays exponentially to this times that at the beginning. */
  readonly decay: number;
}

/** Rotations are quaternions (x, y, z, w). Columns 7 and 15 are not used. */
export const attributes = {
  position: { offset: 0, columns: 3, activation: "identity", learningRate: 0.01, decay: 0.05 },
  opacity: { offset: 3, columns: 1, activation: "sigmoid", learningRate: 0.15, decay: 0.2 },
  scale: { offset: 4, columns: 3, activation: "exp", learningRate: 0.03, decay: 0.2 },
  rotation: { offset: 8, columns: 4, activation: "normalize", learningRate: 0.03, decay: 0.2 },
  color: { offset: 12, columns: 3, activation: "sigmoid", learningRate: 0.1, decay: 0.2 },
} as const satisfies Record<string, Attribute>;

export type AttributeName = keyof typeof attributes;
export const attributeNames = Object.keys(attributes) as readonly AttributeName[];

/** The values of a Gaussian, all as parameters or all activated. */
export interface GaussianValues {
  readonly position: readonly number[];
  readonly opacity: number;
  readonly scale: readonly number[];
  readonly rotation: readonly number[];
  readonly color: readonly number[];
}

/** Rows of 16 values. */
export const gaussianRows = (gaussians: readonly GaussianValues[]): Float32Array<ArrayBuffer> =>
  Float32Array.from(
    gaussians.flatMap(({ position, opacity, scale, rotation, color }) => [
      ...position,
      opacity,
      ...scale,
      0,
      ...rotation,
      ...color,
      0,
    ]),
  );

export const beta1 = 0.9;
export const beta2 = 0.999;
export const epsilon = 1e-15;

/** Gradients are integers, since WGSL has no atomic floats: gradient = integer · gradientUnit. */
export const gradientUnit = 2 ** -24;

/** The activated row, as a struct of WGSL. */
export const gaussianStruct = `
struct Gaussian {
  position: vec3f,
  opacity: f32,
  scale: vec3f,
  rotation: vec4f,
  color: vec3f,
}
`;

/** Everything that the renderer, the densifiers and the optimizer share. */
export class GaussianRows {
  readonly device: GPUDevice;
  /** The largest number of rows. */
  readonly capacity: number;
  /** Rows of f32: what is trained. The optimizer and the densifiers write them. */
  readonly parameters: GPUBuffer;
  /** Rows of f32, which the optimizer keeps up to date. */
  readonly activated: GPUBuffer;
  /** Rows of i32. The backward pass adds to them, the optimizer clears them. */
  readonly gradients: GPUBuffer;
  /** Two u32 per row since the last densification: the sum of the norms of screen-space gradients, and their number. */
  readonly statistics: GPUBuffer;
  /** A uniform u32: the number of rows. */
  readonly countUniform: GPUBuffer;
  #count = 0;

  constructor(device: GPUDevice, capacity: number) {
    const byteLength = capacity * rowLength * 4;
    this.device = device;
    this.capacity = capacity;
    this.parameters = storage(device, "parameters", byteLength);
    this.activated = storage(device, "activated", byteLength);
    this.gradients = storage(device, "gradients", byteLength);
    this.statistics = storage(device, "statistics", capacity * 8);
    this.countUniform = uniform(device, "count", 4);
  }

  get count(): number {
    return this.#count;
  }

  set count(count: number) {
    this.#count = count;
    this.device.queue.writeBuffer(this.countUniform, 0, new Uint32Array([count]));
  }
}
