import { GradstepError, type OptimizerState, type Variant } from "@gradstep/core";
import { Tensor } from "@tensorflow/tfjs-core";
import { isSameShape, type NamedTensor } from "../step/gradients.js";
import { lazyTensor } from "./lazy-tensor.js";
import type { Fingerprint } from "./value-fingerprint.js";

/**
 * The names of slots in TF.js's checkpoints, in TF.js's order, so that TF.js and gradstep read each other's checkpoints.
 * The slots of other rules are saved under their own names.
 */
const tfjsNames: Readonly<Record<string, readonly (readonly [suffix: string, slot: string])[]>> = {
  sgd: [["momentum", "m"]],
  adagrad: [["accumulator", "a"]],
  rmsprop: [
    ["rms", "v"],
    ["momentum", "m"],
    ["mg", "a"],
  ],
  adamax: [
    ["m", "m"],
    ["v", "norm"],
  ],
};

/** TF.js saves momenta even where the momentum is 0 and they are not used. */
const unused: Readonly<Record<string, readonly string[]>> = {
  sgd: ["momentum"],
  rmsprop: ["momentum"],
};

const persistentScalarsName = "gradstep/persistentScalars";
const groupIterationsName = "gradstep/iterations";
const fingerprintsName = "gradstep/fingerprints";

/** The content of a checkpoint. */
export interface Weights {
  readonly iterations: number;
  readonly parameters: ReadonlyMap<string, ParameterWeights>;
  /** For each group, the optimizer's own first, the scalars that the rule keeps between steps. */
  readonly persistentScalars: readonly Readonly<Record<string, number>>[] | undefined;
  /** The steps of each group, in that order; left out where all take every step. */
  readonly groupIterations: readonly number[] | undefined;
}

/** The state of one parameter. */
export interface ParameterWeights {
  readonly shape: readonly number[];
  readonly slots: Record<string, Float32Array>;
  fingerprint?: Fingerprint;
}

/** The names of a rule's slots in a checkpoint, in order. */
function layoutOf({ rule, slots }: Variant): (readonly [suffix: string, slot: string])[] {
  const own = slots.map(({ name }) => [name, name] as const);
  const layout = tfjsNames[rule]?.filter(([, slot]) => slots.some(({ name }) => name === slot));
  return [...(layout ?? own)];
}

/**
 * A state as TF.js's named weights: `iter`, then each slot of all parameters. The tensors use no memory of the backend
 * until TF.js computes with them.
 *
 * @param shapes of the parameters that are written, in that order.
 * @param fingerprints of the values of their variables, where names alone would be ambiguous.
 */
export function weightsOf(
  state: OptimizerState,
  variant: Variant,
  shapes: ReadonlyMap<string, readonly number[]>,
  fingerprints?: ReadonlyMap<string, Fingerprint>,
): NamedTensor[] {
  const weights = [
    { name: "iter", tensor: lazyTensor(Int32Array.of(state.iterations), [], "int32") },
  ];
  for (const [suffix, slot] of layoutOf(variant)) {
    for (const [key, shape] of shapes) {
      const values = state.slots[key][slot] as Float32Array;
      weights.push({ name: `${key}/${suffix}`, tensor: lazyTensor(values, shape, "float32") });
    }
  }
  const carried = Object.keys(variant.persistentScalars);
  if (carried.length > 0) {
    const numbers = state.groups.flatMap(({ persistentScalars }) =>
      carried.map((name) => persistentScalars[name]),
    );
    // Numbers of f64, whose bits f32 cannot hold.
    const bits = new Int32Array(Float64Array.from(numbers).buffer);
    const shape = [state.groups.length, carried.length, 2];
    weights.push({ name: persistentScalarsName, tensor: lazyTensor(bits, shape, "int32") });
  }
  const counts = state.groups.map(({ iterations = state.iterations }) => iterations);
  const everies = state.groups.map(({ hyperparameters: { every = 1 } }) => every);
  // Once `every` was set between steps, the counts cannot be computed from it.
  if (counts.some((count, i) => count !== state.iterations || everies[i] !== 1)) {
    const tensor = lazyTensor(Int32Array.from(counts), [counts.length], "int32");
    weights.push({ name: groupIterationsName, tensor });
  }
  if (fingerprints !== undefined) {
    const hashes = [...shapes.keys()].flatMap((key) => fingerprints.get(key) ?? [0, 0]);
    const tensor = lazyTensor(Int32Array.from(hashes), [shapes.size, 2], "int32");
    weights.push({ name: fingerprintsName, tensor });
  }
  return weights;
}

/** A weight and its values. */
interface ReadWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/** Reads weights. The values are copies. @throws {GradstepError} `STATE_MISMATCH`, `DISPOSED` */
export async function readWeights(weights: readonly NamedTensor[]): Promise<ReadWeight[]> {
  if (!Array.isArray(weights) || weights[0]?.name !== "iter") {
    throw mismatch(`got ${String(weights?.[0]?.name)} as the first weight; expected "iter"`);
  }
  const read = async (weight: Partial<NamedTensor> | null): Promise<ReadWeight> => {
    const { name, tensor } = weight ?? {};
    if (typeof name !== "string" || !(tensor instanceof Tensor))
      throw mismatch(`weight "${String(name)}" is not of the form { name, tensor }`);
    if (tensor.isDisposed)
      throw new GradstepError(`Weight "${name}" was disposed of; expected a live tensor.`, {
        code: "DISPOSED",
      });
    const values = (await tensor.data()) as Float32Array | Int32Array;
    return { name, shape: tensor.shape, values: values.slice() };
  };
  return Promise.all(weights.map(read));
}

/**
 * Sorts weights by parameter. Their order does not matter.
 * @throws {GradstepError} `STATE_MISMATCH` where one is missing or not known
 */
export function parseWeights(weights: readonly ReadWeight[], variant: Variant): Weights {
  const layout = layoutOf(variant);
  const parameters = new Map<string, ParameterWeights>();
  let persistentScalars: Weights["persistentScalars"];
  let groupIterations: Weights["groupIterations"];
  let fingerprints: Float32Array | Int32Array | undefined;
  for (const { name, shape, values } of weights.slice(1)) {
    if (name === persistentScalarsName) {
      persistentScalars = parsePersistentScalars(values, Object.keys(variant.persistentScalars));
      continue;
    }
    if (name === groupIterationsName) {
      groupIterations = Array.from(values);
      if (groupIterations.some((count) => !Number.isSafeInteger(count) || count < 0))
        throw mismatch(`weight "${name}" does not hold numbers of steps`);
      continue;
    }
    if (name === fingerprintsName) {
      fingerprints = values;
      continue;
    }
    const cut = name.lastIndexOf("/");
    const key = name.slice(0, cut);
    const suffix = name.slice(cut + 1);
    const slot = cut > 0 ? layout.find(([one]) => one === suffix)?.[1] : undefined;
    if (slot === undefined) {
      if (unused[variant.rule]?.includes(suffix) === true) continue;
      throw mismatch(
        `weight "${name}" is not known; expected names that end in ${layout.map(([one]) => `/${one}`).join(", ") || "nothing: there are no slots"}`,
      );
    }
    const parameter = parameters.get(key) ?? { shape, slots: {} };
    parameters.set(key, parameter);
    if (!isSameShape(shape, parameter.shape) || !(values instanceof Float32Array)) {
      throw mismatch(
        `weight "${name}" has another shape or type than the other slots of its variable`,
      );
    }
    parameter.slots[slot] = values;
  }
  for (const [key, { slots }] of parameters) {
    for (const [suffix, slot] of layout) {
      if (slots[slot] === undefined) throw mismatch(`weight "${key}/${suffix}" is missing`);
    }
  }
  if (fingerprints?.length === 2 * parameters.size) {
    const hashes = fingerprints;
    [...parameters.values()].forEach((one, i) => {
      one.fingerprint = [hashes[2 * i], hashes[2 * i + 1]];
    });
  }
  const iterations = Number(weights[0].values[0]);
  if (!Number.isSafeInteger(iterations) || iterations < 0)
    throw mismatch(`iter is ${iterations}; expected a non-negative integer`);
  return { iterations, parameters, persistentScalars, groupIterations };
}

function parsePersistentScalars(
  values: Float32Array | Int32Array,
  names: readonly string[],
): Weights["persistentScalars"] {
  if (names.length === 0) return undefined;
  const isWhole = values instanceof Int32Array && values.length % (2 * names.length) === 0;
  const numbers = isWhole ? Array.from(new Float64Array(values.slice().buffer)) : [];
  if (!isWhole || !numbers.every(Number.isFinite))
    throw mismatch(
      `weight "${persistentScalarsName}" does not hold ${names.length} numbers for each group`,
    );
  const groups: Record<string, number>[] = [];
  for (let i = 0; i < numbers.length; i += names.length) {
    groups.push(Object.fromEntries(names.map((name, j) => [name, numbers[i + j]])));
  }
  return groups;
}

/** @param what was got and expected, for the message. */
export function mismatch(what: string): GradstepError {
  return new GradstepError(
    `The weights do not belong to this optimizer: ${what}. Pass the result of getWeights() of an optimizer with the same rule and options.`,
    { code: "STATE_MISMATCH" },
  );
}
