import { seededRandom } from "@gradstep/apps-shared/random";
import { standardNormal } from "./standard-normal.js";
import { parametersIn, valuesIn, type Workload } from "./workloads/workload.js";

/**
 * After this many values the data repeat, so that this many values in f64 suffice to check every element of any workload.
 * A prime, so that it is no multiple of a contender's chunks, vectors or tensors.
 */
export const period = 65_537;

/** Steps alternate between gradients of two kinds: constant ones would hide wrong decay rates in m̂ and v̂. */
export const gradientKinds = 2;

/** The offset of the second kind from the first; whole cache lines. */
const shift = 4096;

/** One period of the data. */
export interface Block {
  readonly parameters: Float32Array;
  /** By kind. */
  readonly gradients: readonly Float32Array[];
}

/** One workload's values. */
export interface Data {
  readonly workload: Workload;
  readonly block: Block;
  /** Where each tensor begins, in values from the start of the first. */
  readonly offsets: readonly number[];
  /** The gradients by kind, then by tensor. All contenders share them and must not change them. */
  readonly gradients: readonly (readonly Float32Array[])[];
  /** New arrays of all parameters, with their values before the first step. */
  readonly parameters: () => Float32Array[];
}

/** Depends on the seed alone: parameters like those of a new network, gradients over five orders of magnitude. */
export function makeBlock(seed: number): Block {
  const random = seededRandom(seed);
  const parameters = Float32Array.from({ length: period }, () => 0.05 * standardNormal(random));
  const gradient = Float32Array.from(
    { length: period },
    () => standardNormal(random) * 10 ** (-5 * random()),
  );
  const gradients = Array.from({ length: gradientKinds }, (_, kind) =>
    repeat(gradient, kind * shift, period),
  );
  return { parameters, gradients };
}

/** Fills a workload's tensors, one after the other, with the repeated block. */
export function dataFor(workload: Workload, block: Block): Data {
  const sizes = workload.shapes.map(valuesIn);
  let end = 0;
  const offsets = sizes.map((size) => (end += size) - size);
  // One array holds both kinds: the second is the first, read from a later index.
  const all = repeat(block.gradients[0], 0, parametersIn(workload) + (gradientKinds - 1) * shift);
  const gradients = Array.from({ length: gradientKinds }, (_, kind) =>
    sizes.map((size, i) =>
      all.subarray(offsets[i] + kind * shift, offsets[i] + kind * shift + size),
    ),
  );
  return {
    workload,
    block,
    offsets,
    gradients,
    parameters: () => sizes.map((size, i) => repeat(block.parameters, offsets[i], size)),
  };
}

function repeat(block: Float32Array, from: number, length: number): Float32Array {
  const values = new Float32Array(length);
  for (let i = 0, j = from % block.length; i < length; j = 0) {
    const part = block.subarray(j, j + length - i);
    values.set(part, i);
    i += part.length;
  }
  return values;
}
