import { GradstepError, show } from "@gradstep/core";
import { propertyOf } from "@gradstep/core/internal";
import * as core from "@tensorflow/tfjs-core";
import "./index.js";
import { GradstepOptimizer } from "./gradstep-optimizer.js";
import { addCompileNames } from "./tfjs-optimizers/compile-names.js";
import { tfjsNames, type TfjsName } from "./tfjs-optimizers/kinds.js";
import { tfjsOptimizers } from "./tfjs-optimizers/tfjs-optimizer.js";

type Factory = (...settings: unknown[]) => GradstepOptimizer;

/** A copy of TF.js: `import * as tf from "@tensorflow/tfjs"`, or the global `tf` of a script from a CDN. */
export interface TfjsNamespace {
  readonly train: object;
  readonly serialization: {
    readonly SerializationMap: Pick<
      typeof core.serialization.SerializationMap,
      "getMap" | "register"
    >;
  };
}

/** What undoes the registration, by copy of TF.js. */
const registered = new Map<object, (() => void)[]>();

/**
 * Makes `tf.train.sgd`, `momentum`, `adadelta`, `adagrad`, `rmsprop`, `adam` and `adamax` gradstep's, with TF.js's
 * arguments and numbers, and with them `model.compile({ optimizer: "adam" })` and models that are loaded with their
 * optimizer. `compile` also takes "adamw", "nadam", "lion" and "momentum". Importing this module has called it; a second
 * call does nothing.
 *
 * @param tf the copy of TF.js to change; the one from npm if left out.
 * @throws {GradstepError} `UNSUPPORTED` for what is no copy of TF.js
 */
export function register(tf: TfjsNamespace = core): void {
  checkIsTfjs(tf);
  const { train, serialization } = tf;
  if (registered.has(train)) return;
  const undo: (() => void)[] = [];
  registered.set(train, undo);
  const factories = train as Record<TfjsName, Factory>;
  const { classNameMap } = serialization.SerializationMap.getMap();
  const replace = (className: string, type: unknown): void => {
    const before = classNameMap[className];
    serialization.SerializationMap.register(type as typeof core.SGDOptimizer);
    undo.push(() => {
      if (before === undefined) delete classNameMap[className];
      else classNameMap[className] = before;
    });
  };
  for (const name of tfjsNames) {
    const type = tfjsOptimizers[name];
    const factory = factories[name];
    // A function, so that `new tf.train.adam()` works, too.
    const ours = function (...settings: unknown[]): GradstepOptimizer {
      return new type(...settings);
    };
    factories[name] = ours;
    replace(type.className, type);
    undo.push(() => {
      // Another library may have replaced it since.
      if (factories[name] === ours) factories[name] = factory;
    });
  }
  if (train !== core.train) replace(GradstepOptimizer.className, GradstepOptimizer);
  undo.push(addCompileNames(classNameMap));
}

function checkIsTfjs(tf: unknown): void {
  const map = propertyOf(propertyOf(tf, "serialization"), "SerializationMap");
  const isTfjs = typeof propertyOf(map, "getMap") === "function";
  if (isTfjs && propertyOf(tf, "train") !== undefined) return;
  throw new GradstepError(
    `register: got ${show(tf)}; expected TensorFlow.js, such as import * as tf from "@tensorflow/tfjs", or window.tf.`,
    { code: "UNSUPPORTED" },
  );
}

/** Restores TF.js's own optimizers. Existing optimizers stay as they are. A second call does nothing. */
export function unregister(): void {
  for (const undo of registered.values()) for (const step of undo) step();
  registered.clear();
}

register();
warnOfOtherCopy();

/** A script from a CDN is another copy of TF.js, which this module's import does not change. */
function warnOfOtherCopy(): void {
  const { tf } = globalThis as { tf?: Partial<TfjsNamespace> };
  if (tf?.train === undefined || tf.train === core.train || registered.has(tf.train)) return;
  console.warn(
    "gradstep: the global tf is another copy of TensorFlow.js than the one that @gradstep/tfjs imports. Its optimizers are unchanged; call register(tf) to replace them.",
  );
}
