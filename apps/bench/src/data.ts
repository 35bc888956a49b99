import { seededRandom } from "@gradstep/apps-shared/random";
import { normal } from "./normal.js";
import { parametersIn, valuesIn, type Workload } from "./workloads/workload.js";

/**
 * After this many values the data repeat, so that f64 arithmetic on this many judges every element of any workload.
 * A prime: no chunk, vector or tensor that a contender works in falls in step with it.
 */
export const period = 65_537;

/** Steps use gradients of two kinds in turn: with a constant one, m̂ and v̂ would hide wrong decay rates. */
export const gradientKinds = 2;

/** How far the second kind lies behind the first; whole cache lines. */
const shift = 4096;

/** The values that repeat. */
export interface Block {
  readonly parameters: Float32Array;
  /** By kind. */
  readonly gradients: readonly Float32Array[];
}

/** One workload's values. */
export interface Data {
  readonly workload: Workload;
  readonly block: Block;
  /** Where each tensor begins, counted in values from the beginning of the first. */
  readonly offsets: readonly number[];
  /** The gradients by kind, then by tensor: shared by all contenders, which must leave them as they are. */
  readonly gradients: readonly (readonly Float32Array[])[];
  /** New arrays of all parameters, as they are before the first step. */
  readonly parameters: () => Float32Array[];
}

/** The same for the same seed: parameters as of a fresh network, gradients over five orders of magnitude. */
export function makeBlock(seed: number): Block {
  const random = seededRandom(seed);
  const parameters = Float32Array.from({ length: period }, () => 0.05 * normal(random));
  const gradient = Float32Array.from(
    { length: period },
    () => normal(random) * 10 ** (-5 * random()),
  );
  const gradients = Array.from({ length: gradientKinds }, (_, kind) =>
    repeat(gradient, kind * shift, period),
  );
  return { parameters, gradients };
}

/** Spreads the block over a workload's tensors, laid end to end. */
export function dataFor(workload: Workload, block: Block): Data {
  const sizes = workload.shapes.map(valuesIn);
  let end = 0;
  const offsets = sizes.map((size) => (end += size) - size);
  // One array serves all kinds: the second is the first, read further on.
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
