import { GradstepError, show, type Variant } from "@gradstep/core";
import { isArray, isInstance, isSameShape, propertyOf } from "@gradstep/core/internal";
import { Tensor } from "@tensorflow/tfjs-core";
import type { GroupVariants } from "../group-variants.js";
import type { NamedTensor } from "../step/gradients.js";
import { mismatch } from "./mismatch.js";
import { savedSlotsOf } from "./saved-slots.js";
import { accumulatedSuffix, parseStepControl, stepControlName } from "./step-control-weights.js";
import { sharedNames, type ParameterWeights, type Weights } from "./weights.js";

/** TF.js saves momenta even where the momentum is 0 and they are not used. */
const unused: Readonly<Record<string, readonly string[]>> = {
  sgd: ["momentum"],
  rmsprop: ["momentum"],
};

/** A weight and its values. */
export interface ReadWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/** Reads weights. The values are copies. @throws {GradstepError} `STATE_MISMATCH`, `DISPOSED` */
export async function readWeights(weights: readonly NamedTensor[]): Promise<ReadWeight[]> {
  if (!isArray(weights) || propertyOf(weights[0], "name") !== "iter") {
    const first = isArray(weights) ? propertyOf(weights[0], "name") : weights;
    throw mismatch(`got ${show(first)} as the first weight; expected "iter"`);
  }
  const read = async (weight: unknown): Promise<ReadWeight> => {
    const [name, tensor] = [propertyOf(weight, "name"), propertyOf(weight, "tensor")];
    if (typeof name !== "string" || !isInstance(tensor, Tensor))
      throw mismatch(`weight ${show(name)} is not of the form { name, tensor }`);
    if (tensor.isDisposed)
      throw new GradstepError(`Weight "${name}" was disposed of; expected a live tensor.`, {
        code: "DISPOSED",
      });
    const values = (await tensor.data()) as Float32Array | Int32Array;
    return { name, shape: tensor.shape, values: values.slice() };
  };
  return Promise.all(weights.map(read));
}

/** The weights of one parameter, by what their names end in. */
type OwnWeights = Map<string, ReadWeight>;

/**
 * Sorts weights by parameter. Their order does not matter.
 * @throws {GradstepError} `STATE_MISMATCH` where one is missing or not known
 */
export function parseWeights(weights: readonly ReadWeight[], variants: GroupVariants): Weights {
  const layouts = new Map(variants.distinct.map((variant) => [variant, savedSlotsOf(variant)]));
  const suffixes = new Set([...layouts.values()].flat().map(({ suffix }) => suffix));
  const shared = new Map<string, ReadWeight>();
  const own = new Map<string, OwnWeights>();
  for (const weight of weights.slice(1)) {
    const { name, values } = weight;
    if (name === stepControlName || Object.values<string>(sharedNames).includes(name)) {
      shared.set(name, weight);
      continue;
    }
    const cut = name.lastIndexOf("/");
    const key = name.slice(0, cut);
    const suffix = name.slice(cut + 1);
    if (cut <= 0 || !(suffixes.has(suffix) || suffix === accumulatedSuffix)) {
      if (variants.distinct.some(({ rule }) => unused[rule]?.includes(suffix))) continue;
      throw unknownWeight(name, [...suffixes]);
    }
    if (!(values instanceof Float32Array))
      throw mismatch(`weight "${name}" has another type than float32`);
    const ofKey = own.get(key) ?? new Map<string, ReadWeight>();
    if (ofKey.has(suffix)) throw mismatch(`weight "${name}" is there twice`);
    own.set(key, ofKey.set(suffix, weight));
  }
  const shapes = readShapes(shared.get(sharedNames.shapes), [...own.keys()]);
  if (shapes === undefined && variants.distinct.length > 1 && own.size > 0)
    throw mismatch(`weight "${sharedNames.shapes}" is missing`);
  const hashes = shared.get(sharedNames.fingerprints)?.values;
  const parameters = [...own].map(([key, found], i): [string, ParameterWeights] => {
    const shape = shapes?.get(key);
    const variant = shape === undefined ? variants.byGroup[0] : variants.of({ name: key, shape });
    const parsed = parseParameter(key, found, shape, variant);
    const fingerprint =
      hashes?.length === 2 * own.size ? ([hashes[2 * i], hashes[2 * i + 1]] as const) : undefined;
    return [key, { ...parsed, fingerprint }];
  });
  const iterations = Number(weights[0].values[0]);
  if (!Number.isSafeInteger(iterations) || iterations < 0)
    throw mismatch(`iter is ${iterations}; expected a non-negative integer`);
  const counters = shared.get(stepControlName);
  return {
    iterations,
    parameters: new Map(parameters),
    persistentScalars: readPersistentScalars(shared.get(sharedNames.persistentScalars), variants),
    groupIterations: readGroupIterations(
      shared.get(sharedNames.groupIterations),
      variants.byGroup.length,
    ),
    stepControl: counters && parseStepControl(counters.values),
  };
}

/** @param known the shape of the parameter, where the checkpoint has it */
function parseParameter(
  key: string,
  weights: OwnWeights,
  known: readonly number[] | undefined,
  variant: Variant,
): Omit<ParameterWeights, "fingerprint"> {
  const layout = savedSlotsOf(variant);
  const accumulated = weights.get(accumulatedSuffix);
  const slots = layout.map(({ suffix, name, shapeFor, isElementwise }) => {
    const weight = weights.get(suffix);
    if (weight === undefined) throw mismatch(`weight "${key}/${suffix}" is missing`);
    return { suffix, name, shapeFor, isElementwise, weight };
  });
  const other = [...weights.keys()].find(
    (suffix) => suffix !== accumulatedSuffix && !layout.some((slot) => slot.suffix === suffix),
  );
  if (other !== undefined && unused[variant.rule]?.includes(other) !== true)
    throw unknownWeight(
      `${key}/${other}`,
      layout.map(({ suffix }) => suffix),
    );
  const shape =
    slots.find(({ isElementwise }) => isElementwise)?.weight.shape ??
    accumulated?.shape ??
    known ??
    [];
  const checkShape = (weight: ReadWeight, expected: readonly number[]): void => {
    if (isSameShape(weight.shape, expected)) return;
    throw mismatch(
      `weight "${weight.name}" has the shape [${weight.shape.join(", ")}]; expected [${expected.join(", ")}]`,
    );
  };
  for (const { weight, shapeFor } of slots) checkShape(weight, shapeFor(shape));
  if (accumulated !== undefined) checkShape(accumulated, shape);
  return {
    shape,
    slots: Object.fromEntries(
      slots.map(({ name, weight }) => [name, weight.values as Float32Array]),
    ),
    accumulated: accumulated?.values as Float32Array | undefined,
  };
}

/** The shapes of these parameters, each after its length in the weight. */
function readShapes(
  weight: ReadWeight | undefined,
  keys: readonly string[],
): Map<string, readonly number[]> | undefined {
  if (weight === undefined) return undefined;
  const numbers = Array.from(weight.values);
  let next = 0;
  const shapes = new Map(
    keys.map((key) => {
      const first = next + 1;
      next = first + (numbers[next] ?? 0);
      return [key, numbers.slice(first, next)];
    }),
  );
  if (next !== numbers.length)
    throw mismatch(`weight "${weight.name}" does not hold ${keys.length} shapes`);
  return shapes;
}

/** The persistent scalars of each group. */
function readPersistentScalars(
  weight: ReadWeight | undefined,
  { byGroup }: GroupVariants,
): Weights["persistentScalars"] {
  const names = byGroup.map((variant) => Object.keys(variant.persistentScalars));
  const count = names.flat().length;
  if (count === 0) return names.map(() => ({}));
  if (weight === undefined)
    throw mismatch(`there are no persistent scalars for ${byGroup.length} groups`);
  const { values } = weight;
  const isWhole = values instanceof Int32Array && values.length === 2 * count;
  const numbers = isWhole ? new Float64Array(values.slice().buffer) : new Float64Array();
  if (!isWhole || !numbers.every(Number.isFinite))
    throw mismatch(
      `weight "${weight.name}" does not hold ${count} numbers for ${byGroup.length} groups`,
    );
  let next = 0;
  return names.map((own) =>
    Object.fromEntries(
      own.map((name) => {
        next += 1;
        return [name, numbers[next - 1]];
      }),
    ),
  );
}

function readGroupIterations(
  weight: ReadWeight | undefined,
  groups: number,
): Weights["groupIterations"] {
  if (weight === undefined) return undefined;
  const counts = Array.from(weight.values);
  if (counts.some((count) => !Number.isSafeInteger(count) || count < 0))
    throw mismatch(`weight "${weight.name}" does not hold numbers of steps`);
  if (counts.length !== groups)
    throw mismatch(`there are the steps of ${counts.length} groups; expected ${groups}`);
  return counts;
}

function unknownWeight(name: string, suffixes: readonly string[]): GradstepError {
  const expected = suffixes.map((suffix) => `/${suffix}`).join(", ");
  return mismatch(
    `weight "${name}" is not known; expected names that end in ${expected || "nothing: there are no slots"}`,
  );
}
