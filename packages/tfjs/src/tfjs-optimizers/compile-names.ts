import type { serialization } from "@tensorflow/tfjs-core";
import { adamw, lion, nadam } from "../factories.js";
import type { GradstepOptimizer } from "../gradstep-optimizer.js";
import { tfjsOptimizers } from "./tfjs-optimizer.js";

/** Strings that `model.compile` takes in addition to TF.js's own, with Keras's defaults. */
const makers: Readonly<Record<string, () => GradstepOptimizer>> = {
  adamw,
  nadam,
  lion,
  momentum: () => new tfjsOptimizers.momentum(0.01, 0.9),
};

/** The part of `tf.LayersModel` that is used. */
interface LayersModel {
  compile: (this: LayersModel, settings: { optimizer: unknown }) => void;
  isOptimizerOwned: boolean;
}

/**
 * Lets `compile({ optimizer: "adamw" })` find gradstep's optimizers. `tfjs-layers` has a fixed table of names, so its
 * `compile` is replaced; it is found where it registered itself, which spares users without layers the import.
 *
 * @param classes where TF.js keeps the classes of saved objects.
 * @returns a function that undoes it; does nothing where `tfjs-layers` was not loaded before.
 */
export function addCompileNames(
  classes: ReturnType<typeof serialization.SerializationMap.getMap>["classNameMap"],
): () => void {
  const prototype = (classes["Model"]?.[0] as { prototype?: LayersModel } | undefined)?.prototype;
  if (typeof prototype?.compile !== "function") return () => {};
  const { compile } = prototype;
  const ours: LayersModel["compile"] = function (this: LayersModel, settings) {
    const name = settings?.optimizer;
    const key = typeof name === "string" ? name.toLowerCase() : "";
    if (!Object.hasOwn(makers, key)) {
      compile.call(this, settings);
      return;
    }
    const optimizer = makers[key]();
    try {
      compile.call(this, { ...settings, optimizer });
    } catch (error) {
      optimizer.dispose();
      throw error;
    }
    // So that `model.dispose()` disposes of it, as of every optimizer that `compile` created.
    this.isOptimizerOwned = true;
  };
  prototype.compile = ours;
  return () => {
    if (prototype.compile === ours) prototype.compile = compile;
  };
}
