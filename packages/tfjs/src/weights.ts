import { GradstepError, type OptimizerState, type Variant } from "@gradstep/core";
import { Tensor } from "@tensorflow/tfjs-core";
import type { NamedTensor } from "./gradients.js";
import { isSameShape } from "./gradients.js";
import { lazyTensor } from "./lazy-tensor.js";

/**
 * What TF.js's checkpoints call our slots, in TF.js's order; a checkpoint of one is a checkpoint of the other. A rule
 * that is not here has its slots under their own names.
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
    ["v", "u"],
  ],
};

/** TF.js writes momenta even where the momentum is 0; they have no influence then. */
const withoutInfluence: Readonly<Record<string, readonly string[]>> = {
  sgd: ["momentum"],
  rmsprop: ["momentum"],
};

const persistentScalarsName = "gradstep/persistentScalars";
const groupIterationsName = "gradstep/iterations";

/** The state of some parameters, as it is in a checkpoint. */
export interface Weights {
  readonly iterations: number;
  readonly parameters: ReadonlyMap<string, ParameterWeights>;
  /** For each group, the optimizer's own first, the scalars that the rule hands from step to step. */
  readonly persistentScalars: readonly Readonly<Record<string, number>>[] | undefined;
  /** The steps of each group, in that order; left out where all take every step. */
  readonly groupIterations: readonly number[] | undefined;
}

/** The slots of one parameter. */
export interface ParameterWeights {
  readonly shape: readonly number[];
  readonly slots: Record<string, Float32Array>;
}

/** How a rule's slots are called in a checkpoint, in order. */
function layoutOf({ rule, slots }: Variant): (readonly [suffix: string, slot: string])[] {
  const own = slots.map(({ name }) => [name, name] as const);
  const layout = tfjsNames[rule]?.filter(([, slot]) => slots.some(({ name }) => name === slot));
  return [...(layout ?? own)];
}

/**
 * A state as TF.js's named weights: `iter`, then each slot of all parameters. The tensors take no memory of the backend
 * until TF.js computes with them.
 */
export function weightsOf(
  state: OptimizerState,
  variant: Variant,
  shapeOf: (key: string) => readonly number[],
): NamedTensor[] {
  const weights = [
    { name: "iter", tensor: lazyTensor(Int32Array.of(state.iterations), [], "int32") },
  ];
  for (const [suffix, slot] of layoutOf(variant)) {
    for (const [key, slots] of Object.entries(state.slots)) {
      const values = slots[slot] as Float32Array;
      weights.push({
        name: `${key}/${suffix}`,
        tensor: lazyTensor(values, shapeOf(key), "float32"),
      });
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
  // Neither follows from the other once `every` was set between steps.
  if (counts.some((count, i) => count !== state.iterations || everies[i] !== 1)) {
    const tensor = lazyTensor(Int32Array.from(counts), [counts.length], "int32");
    weights.push({ name: groupIterationsName, tensor });
  }
  return weights;
}

/** A weight whose values were read. */
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
 * Sorts weights by parameter, whatever their order.
 * @throws {GradstepError} `STATE_MISMATCH` where one is missing or not known
 */
export function parseWeights(weights: readonly ReadWeight[], variant: Variant): Weights {
  const layout = layoutOf(variant);
  const parameters = new Map<string, ParameterWeights>();
  let persistentScalars: Weights["persistentScalars"];
  let groupIterations: Weights["groupIterations"];
  for (const { name, shape, values } of weights.slice(1)) {
    if (name === persistentScalarsName) {
      persistentScalars = parsePersistentScalars(values, Object.keys(variant.persistentScalars));
      continue;
    }
    if (name === groupIterationsName) {
      groupIterations = Array.from(values);
      if (groupIterations.some((count) => !Number.isSafeInteger(count) || count < 0))
        throw mismatch(`weight "${name}" holds something else than numbers of steps`);
      continue;
    }
    const cut = name.lastIndexOf("/");
    const key = name.slice(0, cut);
    const suffix = name.slice(cut + 1);
    const slot = cut > 0 ? layout.find(([one]) => one === suffix)?.[1] : undefined;
    if (slot === undefined) {
      if (withoutInfluence[variant.rule]?.includes(suffix) === true) continue;
      throw mismatch(
        `weight "${name}" is not known; expected names that end in ${layout.map(([one]) => `/${one}`).join(", ") || "nothing: there are no slots"}`,
      );
    }
    const parameter = parameters.get(key) ?? { shape, slots: {} };
    parameters.set(key, parameter);
    if (!isSameShape(shape, parameter.shape) || !(values instanceof Float32Array)) {
      throw mismatch(`weight "${name}" has another shape or type than the slots beside it`);
    }
    parameter.slots[slot] = values;
  }
  for (const [key, { slots }] of parameters) {
    for (const [suffix, slot] of layout) {
      if (slots[slot] === undefined) throw mismatch(`weight "${key}/${suffix}" is missing`);
    }
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

/** @param what got and expected. */
export function mismatch(what: string): GradstepError {
  return new GradstepError(
    `The weights do not belong to this optimizer: ${what}. Set what getWeights() of an optimizer of the same rule and options gave.`,
    { code: "STATE_MISMATCH" },
  );
}
