import { newRow } from "@gradstep/core";
import type { Random } from "./random.js";

/** An attribute of the points that a trainer optimizes. */
export interface Attribute {
  readonly name: string;
  readonly columns: number;
  /** The offset of its gradients in a struct of `structLength` f16; undefined: f32 in a separate buffer. */
  readonly gradientOffset: number | undefined;
  /** The offset of its mirror in a struct of `structLength` f16; undefined: in a separate buffer, without gaps. */
  readonly mirrorOffset: number | undefined;
  readonly learningRate: number;
  readonly every: number;
}

/** The number of f16 in the struct of one row: 32 bytes. */
export const structLength = 16;

/** Five attributes, five groups. */
export const attributes: readonly Attribute[] = [
  { name: "means", columns: 3, gradientOffset: 0, mirrorOffset: 0, learningRate: 1.6e-4, every: 1 },
  { name: "scales", columns: 3, gradientOffset: 3, mirrorOffset: 4, learningRate: 5e-3, every: 1 },
  {
    name: "rotations",
    columns: 4,
    gradientOffset: 7,
    mirrorOffset: 8,
    learningRate: 1e-3,
    every: 1,
  },
  {
    name: "colors",
    columns: 4,
    gradientOffset: 11,
    mirrorOffset: 12,
    learningRate: 2.5e-3,
    every: 1,
  },
  {
    name: "harmonics",
    columns: 6,
    gradientOffset: undefined,
    mirrorOffset: undefined,
    learningRate: 1.25e-4,
    every: 5,
  },
];

/** The results of a backward pass. */
export interface Gradients {
  /** Structs of f16. */
  readonly structs: Uint16Array<ArrayBuffer>;
  readonly harmonics: Float32Array<ArrayBuffer>;
  /** The number of tiles in which each point is visible. */
  readonly tiles: Uint32Array<ArrayBuffer>;
}

/** Simulates a backward pass: gradients are random ranges of a pool of finite values. */
export class SimulatedPass {
  readonly #random: Random;
  readonly #halves: Uint16Array;
  readonly #singles: Float32Array;

  constructor(random: Random) {
    this.#random = random;
    this.#halves = Uint16Array.from({ length: 2 ** 20 }, () => {
      const exponent = 4 + random.below(12);
      return (random.below(2) << 15) | (exponent << 10) | random.below(1024);
    });
    this.#singles = random.values(2 ** 18);
  }

  gradients(rows: number): Gradients {
    const structs = new Uint16Array(rows * structLength);
    fill(structs, this.#halves, this.#random);
    const harmonics = new Float32Array(rows * 6);
    fill(harmonics, this.#singles, this.#random);
    const tiles = Uint32Array.from({ length: rows }, () => Math.max(0, this.#random.below(12) - 3));
    return { structs, harmonics, tiles };
  }
}

function fill<T extends Uint16Array | Float32Array>(target: T, pool: T, random: Random): void {
  for (let at = 0; at < target.length;) {
    const from = random.below(pool.length);
    const length = Math.min(pool.length - from, target.length - at);
    target.set(pool.subarray(from, from + length), at);
    at += length;
  }
}

/** A densification: a tenth of the rows is removed, an eighth is split into two with a new state, and five are added. */
export function densify(
  rows: number,
  random: Random,
): { readonly indices: Uint32Array<ArrayBuffer>; readonly resetRows: Uint32Array<ArrayBuffer> } {
  const indices: number[] = [];
  const resetRows: number[] = [];
  for (let row = 0; row < rows; row += 1) {
    const chance = random.unit();
    const copies = chance < 0.1 ? 0 : chance < 0.225 ? 2 : 1;
    for (let k = 0; k < copies; k += 1) {
      indices.push(row);
      resetRows.push(copies === 2 ? 1 : 0);
    }
  }
  for (let k = 0; k < 5; k += 1) {
    indices.push(newRow);
    resetRows.push(0);
  }
  return { indices: Uint32Array.from(indices), resetRows: Uint32Array.from(resetRows) };
}
