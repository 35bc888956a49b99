import { GradstepError, type OptimizerState, type Variant } from "@gradstep/core";
import { Tensor } from "@tensorflow/tfjs-core";
import { isSameShape, type NamedTensor } from "../step/gradients.js";
import { lazyTensor } from "./lazy-tensor.js";
import { savedSlotsOf } from "./saved-slots.js";
import type { Fingerprint } from "./value-fingerprint.js";

/** TF.js saves momenta even where the momentum is 0 and they are not used. */
const unused: Readonly<Record<string, readonly string[]>> = {
  sgd: ["momentum"],
  rmsprop: ["momentum"],
};

const persistentScalarsName = "gradstep/persistentScalars";
const groupIterationsName = "gradstep/iterations";
const fingerprintsName = "gradstep/fingerprints";
const shapesName = "gradstep/shapes";

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
  const layout = savedSlotsOf(variant);
  for (const { suffix, name, shapeFor } of layout) {
    for (const [key, shape] of shapes) {
      const values = state.slots[key][name] as Float32Array;
      const tensor = lazyTensor(values, shapeFor(shape), "float32");
      weights.push({ name: `${key}/${suffix}`, tensor });
    }
  }
  if (layout.length > 0 && !layout.some(({ isElementwise }) => isElementwise)) {
    // Each shape after its length.
    const lengths = [...shapes.values()].flatMap((shape) => [shape.length, ...shape]);
    const tensor = lazyTensor(Int32Array.from(lengths), [lengths.length], "int32");
    weights.push({ name: shapesName, tensor });
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

/** The slots of a parameter as they are read, with their shapes. */
interface ReadParameter {
  readonly slots: Record<string, Float32Array>;
  readonly shapes: Record<string, readonly number[]>;
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
  const layout = savedSlotsOf(variant);
  const parameters = new Map<string, ReadParameter>();
  let persistentScalars: Weights["persistentScalars"];
  let groupIterations: Weights["groupIterations"];
  let fingerprints: Float32Array | Int32Array | undefined;
  let lengths: Float32Array | Int32Array | undefined;
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
    if (name === shapesName) {
      lengths = values;
      continue;
    }
    const cut = name.lastIndexOf("/");
    const key = name.slice(0, cut);
    const suffix = name.slice(cut + 1);
    const slot = cut > 0 ? layout.find((one) => one.suffix === suffix) : undefined;
    if (slot === undefined) {
      if (unused[variant.rule]?.includes(suffix) === true) continue;
      throw mismatch(
        `weight "${name}" is not known; expected names that end in ${layout.map((one) => `/${one.suffix}`).join(", ") || "nothing: there are no slots"}`,
      );
    }
    if (!(values instanceof Float32Array))
      throw mismatch(`weight "${name}" has another type than float32`);
    const parameter = parameters.get(key) ?? { slots: {}, shapes: {} };
    parameters.set(key, parameter);
    parameter.slots[slot.name] = values;
    parameter.shapes[slot.name] = shape;
  }
  const found = new Map<string, ParameterWeights>();
  let next = 0;
  for (const [key, { slots, shapes }] of parameters) {
    for (const { suffix, name } of layout)
      if (slots[name] === undefined) throw mismatch(`weight "${key}/${suffix}" is missing`);
    const elementwise = layout.find(({ isElementwise }) => isElementwise);
    const end = next + 1 + Number(lengths?.[next] ?? 0);
    const shape = elementwise
      ? shapes[elementwise.name]
      : Array.from(lengths?.slice(next + 1, end) ?? []);
    next = end;
    for (const { suffix, name, shapeFor } of layout)
      if (!isSameShape(shapes[name], shapeFor(shape)))
        throw mismatch(
          `weight "${key}/${suffix}" has the shape [${shapes[name].join(", ")}]; expected [${shapeFor(shape).join(", ")}]`,
        );
    found.set(key, { shape, slots });
  }
  if (fingerprints?.length === 2 * found.size) {
    const hashes = fingerprints;
    [...found.values()].forEach((one, i) => {
      one.fingerprint = [hashes[2 * i], hashes[2 * i + 1]];
    });
  }
  const iterations = Number(weights[0].values[0]);
  if (!Number.isSafeInteger(iterations) || iterations < 0)
    throw mismatch(`iter is ${iterations}; expected a non-negative integer`);
  return { iterations, parameters: found, persistentScalars, groupIterations };
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
