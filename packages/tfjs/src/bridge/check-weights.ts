import { isSameShape } from "@gradstep/core/internal";
import { GradstepError } from "@gradstep/core";
import { quoted } from "../state/name-matching.js";
import type { ReadWeight } from "../state/read-weights.js";
import type { TfjsName } from "../tfjs-optimizers/kinds.js";

/** What the names of the weights of TF.js's optimizers end in, in the order in which TF.js saves them. */
const suffixes: Readonly<Record<TfjsName, readonly string[]>> = {
  sgd: [],
  momentum: ["momentum"],
  adadelta: ["accum_grad", "accum_var"],
  adagrad: ["accumulator"],
  rmsprop: ["rms", "momentum", "mg"],
  adam: ["m", "v"],
  adamax: ["m", "v"],
};

/** Averages and maxima of squares and magnitudes, which are never negative. */
const nonNegative: Readonly<Partial<Record<TfjsName, readonly string[]>>> = {
  adadelta: ["accum_grad", "accum_var"],
  adagrad: ["accumulator"],
  rmsprop: ["rms"],
  adam: ["v"],
  adamax: ["v"],
};

/**
 * Checks the weights of one of TF.js's optimizers. TF.js itself assigns them by position and checks nothing, so that the
 * moments of one variable become those of another.
 *
 * @param centered of RMSProp.
 * @throws {GradstepError} `INVALID_FILE`
 */
export function checkWeights(
  name: TfjsName,
  centered: boolean,
  weights: readonly ReadWeight[],
): void {
  const fail = (what: string, remedy: string): never => {
    throw new GradstepError(`The weights of TF.js's ${name} ${what}. ${remedy}`, {
      code: "INVALID_FILE",
    });
  };
  const [first, ...rest] = weights;
  if (first?.name !== "iter")
    fail(
      `begin with ${first === undefined ? "nothing" : `"${first.name}"`}; expected "iter", the number of steps`,
      'Put { name: "iter", tensor: tf.scalar(steps, "int32") } first, with the steps that were taken: the bias correction depends on them.',
    );
  const [steps] = first.values;
  if (first.values.length !== 1 || !Number.isSafeInteger(steps) || steps < 0)
    fail(
      `have ${Array.from(first.values.slice(0, 4)).join(", ")} as "iter"; expected one integer from 0`,
      "Set it to the number of steps that were taken.",
    );
  const expected = suffixes[name].filter((suffix) => suffix !== "mg" || centered);
  /** The variables of each kind of weight. */
  const found = new Map(expected.map((suffix) => [suffix, new Map<string, ReadWeight>()]));
  for (const weight of rest) {
    const cut = weight.name.lastIndexOf("/");
    const [variable, suffix] = [weight.name.slice(0, cut), weight.name.slice(cut + 1)];
    const ofKind = found.get(suffix);
    if (cut <= 0 || ofKind === undefined)
      return fail(
        `contain "${weight.name}"; expected ${expected.length === 0 ? "nothing but iter" : `names that end in ${quoted(expected.map((one) => `/${one}`))}`}`,
        "They belong to an optimizer of another kind or with other options: use its class and configuration.",
      );
    if (ofKind.has(variable))
      fail(
        `contain "${weight.name}" twice`,
        "TF.js names weights by the position of variables in its first step, and mixes them up when a later step has other variables. Begin with a new optimizer.",
      );
    ofKind.set(variable, weight);
    checkValues(weight, nonNegative[name]?.includes(suffix) === true, fail);
  }
  const variables = new Set([...found.values()].flatMap((one) => [...one.keys()]));
  for (const variable of variables) {
    const own = expected.map((suffix) => found.get(suffix)!.get(variable));
    const missing = expected.filter((_, i) => own[i] === undefined);
    if (missing.length > 0)
      fail(
        `number ${rest.length} without iter, and lack ${quoted(missing.map((suffix) => `${variable}/${suffix}`))}; expected ${expected.length} for each of ${variables.size} variables`,
        "The file is cut off, or was put together from two. Use another one.",
      );
    const [{ shape }, ...others] = own as ReadWeight[];
    const other = others.find((one) => !isSameShape(one.shape, shape));
    if (other !== undefined)
      fail(
        `have the shape [${shape.join(", ")}] for "${own[0]!.name}" and [${other.shape.join(", ")}] for "${other.name}"; expected the same`,
        "Use another file, or begin with a new optimizer.",
      );
  }
}

function checkValues(
  { name, values }: ReadWeight,
  isNonNegative: boolean,
  fail: (what: string, remedy: string) => never,
): void {
  if (!(values instanceof Float32Array))
    fail(`have integers in "${name}"; expected float32`, "Use another file.");
  const index = values.findIndex((value) => Number.isNaN(value) || (isNonNegative && value < 0));
  if (index >= 0)
    fail(
      `have ${values[index]} in "${name}" at ${index}; expected ${isNonNegative ? "a number from 0" : "a number"}`,
      "Training had diverged before it was saved, or the file is damaged. Use an older one, or begin with a new optimizer.",
    );
}
