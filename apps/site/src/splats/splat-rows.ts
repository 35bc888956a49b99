/**
 * A splat is a row of 12 values. There are three arrays of such rows: the parameters that are trained, their activated
 * values, which the renderer reads, and the gradients by the activated values.
 */
export const rowLength = 12;

/** How a trained parameter becomes the value that the renderer uses. */
export type Activation = "identity" | "exp" | "sigmoid" | "normalize";

/** A property of a splat. */
export interface Attribute {
  /** Index of its first value in a row. */
  readonly offset: number;
  readonly columns: number;
  readonly activation: Activation;
  /** The learning rate at the first step. */
  readonly learningRate: number;
}

/**
 * Positions and scales are in pixels. A rotation is the cosine and the sine of an angle: kept as an angle, it would need
 * sin(x) in shaders, of which WGSL promises only three digits. The last two columns of a row are not used.
 */
export const attributes = {
  position: { offset: 0, columns: 2, activation: "identity", learningRate: 0.3 },
  scale: { offset: 2, columns: 2, activation: "exp", learningRate: 0.04 },
  color: { offset: 4, columns: 3, activation: "sigmoid", learningRate: 0.06 },
  opacity: { offset: 7, columns: 1, activation: "sigmoid", learningRate: 0.06 },
  rotation: { offset: 8, columns: 2, activation: "normalize", learningRate: 0.06 },
} as const satisfies Record<string, Attribute>;

export type AttributeName = keyof typeof attributes;
export const attributeNames = Object.keys(attributes) as readonly AttributeName[];

/** A value per attribute. */
export type ByAttribute<T> = Readonly<Record<AttributeName, T>>;

/** Makes a value per attribute. */
export function byAttribute<T>(value: (name: AttributeName) => T): ByAttribute<T> {
  const entries = attributeNames.map((name) => [name, value(name)]);
  return Object.fromEntries(entries) as ByAttribute<T>;
}

/** The activated row in WGSL. */
export const splatStruct = /* wgsl */ `
struct Splat {
  position: vec2f,
  scale: vec2f,
  color: vec3f,
  opacity: f32,
  rotation: vec2f,
}
`;

/** Pixels beyond this squared distance from a splat, in standard deviations, do not see it. */
export const cutoff = 12;

/** Added to the sum of weights, so that a pixel that no splat reaches is black. */
export const backgroundWeight = 1e-3;

/** Gradients on the GPU are integers, since WGSL has no atomic floats: gradient = integer · gradientUnit. */
export const gradientUnit = 2 ** -14;
