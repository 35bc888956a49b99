import { serialization, train } from "@tensorflow/tfjs-core";
import "./index.js";
import type { GradstepOptimizer } from "./optimizer.js";
import { serializableOf, tfjsNames, tfjsOptimizer, type TfjsName } from "./tfjs-rules.js";

type Factory = (...settings: unknown[]) => GradstepOptimizer;

/** The order of the arguments in `tf.train`. */
const argumentsOf: Readonly<Record<TfjsName, readonly string[]>> = {
  sgd: ["learningRate"],
  momentum: ["learningRate", "momentum", "useNesterov"],
  adagrad: ["learningRate", "initialAccumulatorValue"],
  rmsprop: ["learningRate", "decay", "momentum", "epsilon", "centered"],
  adam: ["learningRate", "beta1", "beta2", "epsilon"],
  adamax: ["learningRate", "beta1", "beta2", "epsilon", "decay"],
};

/** TF.js's defaults that differ from ours. */
const defaults: Partial<Record<TfjsName, Readonly<Record<string, number>>>> = {
  adamax: { learningRate: 0.002 },
};

const factories = train as unknown as Record<TfjsName, Factory>;
let undo: (() => void)[] = [];

/**
 * Makes `tf.train.sgd`, `momentum`, `adagrad`, `rmsprop`, `adam` and `adamax` gradstep's, with TF.js's arguments and
 * numbers, and with them `model.compile({ optimizer: "adam" })` and models that are loaded with their optimizer.
 * `adadelta` stays TF.js's own. Importing this module has done it; a second call does nothing.
 */
export function register(): void {
  if (undo.length > 0) return;
  const { classNameMap } = serialization.SerializationMap.getMap();
  for (const name of tfjsNames) {
    const names = argumentsOf[name];
    const factory = factories[name];
    const ours: Factory = (...settings) => {
      const given = names
        .map((key, i) => [key, settings[i]])
        .filter(([, value]) => value !== undefined);
      return tfjsOptimizer(name, { ...defaults[name], ...Object.fromEntries(given) });
    };
    factories[name] = ours;
    const serializable = serializableOf(name);
    const { className } = serializable;
    const before = classNameMap[className];
    serialization.SerializationMap.register(serializable);
    undo.push(() => {
      // Whoever replaced it after us keeps it.
      if (factories[name] === ours) factories[name] = factory;
      if (before === undefined) delete classNameMap[className];
      else classNameMap[className] = before;
    });
  }
}

/** Gives TF.js its own optimizers back. Optimizers that exist stay as they are. A second call does nothing. */
export function unregister(): void {
  for (const step of undo) step();
  undo = [];
}

register();
