import {
  GradstepError,
  show,
  type Hyperparameter,
  type OptimizerSpec,
  type Rule,
  type Schedule,
} from "@gradstep/core";
import { fromTfjs } from "@gradstep/core/interop";
import { engine } from "@tensorflow/tfjs-core";
import { kinds, type TfjsKind, type TfjsName } from "./kinds.js";

/** Arguments by TF.js's names; null and undefined stand for TF.js's default. */
export type TfjsSettings = Readonly<Record<string, unknown>>;

/**
 * The spec of a TF.js optimizer with TF.js's numbers. As in TF.js, hyperparameters may be any finite numbers, negative
 * ones included, and text that is a number.
 *
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`
 */
export function specOf(name: TfjsName, settings: TfjsSettings): OptimizerSpec {
  const { parameters, renamed = {}, flags = [], hasEpsilon = false }: TfjsKind = kinds[name];
  const isSet = (key: string): boolean => (settings[key] ?? undefined) !== undefined;
  if (name === "rmsprop" && !isSet("learningRate"))
    // The first sentence is TF.js's own message.
    throw new GradstepError(
      `learningRate for RMSPropOptimizer must be defined. Got ${show(settings["learningRate"])} in tf.train.rmsprop; expected a number, such as 0.001.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  const chosen = flags.map((flag) => [flag, Boolean(settings[flag])]);
  const spec = fromTfjs(name, Object.fromEntries(chosen) as Record<string, unknown>);
  const hyperparameters: Record<string, number | Schedule> = { ...spec.hyperparameters };
  if (hasEpsilon) hyperparameters["epsilon"] = backendEpsilon();
  for (const key of parameters) {
    if (flags.includes(key) || !isSet(key)) continue;
    hyperparameters[renamed[key] ?? key] = numberOf(`tf.train.${name}`, key, settings[key]);
  }
  return { ...spec, rule: withoutRanges(spec.rule), hyperparameters };
}

/** A hyperparameter as a number. @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function numberOf(owner: string, key: string, value: unknown): number {
  const isText = typeof value === "string" && value.trim() !== "";
  const number = isText ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number)) return number;
  throw new GradstepError(`${owner}: ${key} is ${show(value)}; expected a finite number.`, {
    code: "INVALID_HYPERPARAMETER",
  });
}

/** TF.js's default: 1e-7, or 1e-4 where the backend computes with 16 bits. */
function backendEpsilon(): number {
  try {
    return engine().backend.epsilon();
  } catch {
    // A backend that has to be initialized asynchronously, and is not yet.
    return 1e-7;
  }
}

/** The same rule, whose hyperparameters may be any finite numbers. */
function withoutRanges(rule: Rule): Rule {
  const pick = (values: Readonly<Record<string, unknown>>, table: object): Record<string, never> =>
    Object.fromEntries(Object.keys(table).map((key) => [key, values[key]])) as never;
  const hyperparameters = Object.fromEntries(
    Object.entries(rule.hyperparameters).map(([key, range]): [string, Hyperparameter] => [
      key,
      { default: range.default },
    ]),
  );
  const relaxed: Rule = {
    ...rule,
    hyperparameters,
    specify: (settings) => ({
      rule: relaxed,
      hyperparameters: pick(settings, hyperparameters),
      options: pick(settings, rule.options),
      groups: [],
    }),
  };
  return relaxed;
}
