import { GradstepError, show, type OptimizerSpec } from "@gradstep/core";
import { fromTfjs } from "@gradstep/core/interop";
import type { serialization } from "@tensorflow/tfjs-core";
import { GradstepOptimizer, implementation } from "../gradstep-optimizer.js";
import { specOfConfig } from "../state/saved-config.js";
import type { ReadWeight } from "../state/read-weights.js";
import { kinds, tfjsNames, type TfjsKind, type TfjsName } from "../tfjs-optimizers/kinds.js";
import { tfjsOptimizers } from "../tfjs-optimizers/tfjs-optimizer.js";
import { checkWeights } from "./check-weights.js";

/** An optimizer as TF.js saves it. */
export interface SavedOptimizer {
  readonly className: string;
  readonly config: serialization.ConfigDict;
  /** What `getWeights` gave; empty if they were not saved. */
  readonly weights: readonly ReadWeight[];
}

/**
 * The name in `tf.train` of one of TF.js's classes; undefined for `GradstepOptimizer`.
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function tfjsNameOf(className: unknown): TfjsName | undefined {
  const found = tfjsNames.find((name) => kinds[name].className === className);
  if (found !== undefined || className === GradstepOptimizer.className) return found;
  const known = [...tfjsNames.map((name) => kinds[name].className), GradstepOptimizer.className];
  throw new GradstepError(
    `The optimizer has the class ${show(className)}; expected one of ${known.join(", ")}.`,
    { code: "UNSUPPORTED" },
  );
}

/** The spec of a saved optimizer. @throws {GradstepError} `UNSUPPORTED`, `INVALID_HYPERPARAMETER`, `UNKNOWN_RULE` */
export function specOfSaved({ className, config }: SavedOptimizer): OptimizerSpec {
  const name = tfjsNameOf(className);
  if (name === undefined) return specOfConfig(config).spec;
  const { parameters }: TfjsKind = kinds[name];
  const own = tfjsConfig(config);
  const given = parameters.flatMap((key) => {
    const value = own[key] ?? undefined;
    return value === undefined ? [] : [[key, value]];
  });
  return fromTfjs(name, Object.fromEntries(given) as Record<string, unknown>);
}

/**
 * An optimizer of gradstep that continues from a saved one: for TF.js's own classes, the class that replaces it.
 * @throws {GradstepError} `UNSUPPORTED`, `INVALID_FILE`, `INVALID_HYPERPARAMETER`, `STATE_MISMATCH`, `UNKNOWN_RULE`
 */
export function continueFrom(saved: SavedOptimizer): GradstepOptimizer {
  const name = tfjsNameOf(saved.className);
  const { weights } = saved;
  const config = name === undefined ? saved.config : tfjsConfig(saved.config);
  if (name !== undefined) checkWeights(name, config["centered"] === true, weights);
  else if (weights[0]?.name !== "iter")
    throw new GradstepError(
      `The optimizer's weights begin with ${show(weights[0]?.name)}; expected "iter". Save the model with includeOptimizer: true.`,
      { code: "INVALID_FILE" },
    );
  const type = name === undefined ? GradstepOptimizer : tfjsOptimizers[name];
  const optimizer = type.fromConfig<GradstepOptimizer>(type, config);
  try {
    optimizer[implementation].states.restoreWeights(weights);
    return optimizer;
  } catch (error) {
    optimizer.dispose();
    throw error;
  }
}

/** A configuration with TF.js's names: models that were converted from Keras have `learning_rate`, `beta_1`. */
function tfjsConfig(config: serialization.ConfigDict): serialization.ConfigDict {
  const camelCase = (key: string): string =>
    key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(
    Object.entries(config ?? {}).map(([key, value]) => [camelCase(key), value]),
  );
}
