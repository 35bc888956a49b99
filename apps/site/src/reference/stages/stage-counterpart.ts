import type { constraints } from "@tensorflow/tfjs-layers";
import type { OptimizerSpec } from "@gradstep/core";
import { fromKeras, fromOptax, type KerasConstraint } from "@gradstep/core/interop";
import type { Library } from "../libraries.js";

/** What another library has for a stage. */
export interface StageCounterpart {
  readonly library: Library;
  /** The call or arguments there, with the library's defaults where it has some. */
  readonly there: string;
  /** The settings of the stage that make it the same. */
  readonly settings: Readonly<Record<string, number | string>>;
  /** The chain with it that gradstep reads from the library's own configuration; undefined if it reads none. */
  readonly read?: () => OptimizerSpec;
  /** A constraint of TensorFlow.js, which can be run here. */
  readonly constraint?: () => ReturnType<typeof constraints.nonNeg>;
  /** Where the two differ. */
  readonly difference?: string;
}

/** Arguments of Keras's optimizers. */
export const argument = (config: Readonly<Record<string, unknown>>) => (): OptimizerSpec =>
  fromKeras({ class_name: "SGD", config });
/** A constraint of Keras. */
export const constraint =
  (name: string, config: KerasConstraint["config"] = {}) =>
  (): OptimizerSpec =>
    fromKeras({ class_name: "SGD", config: {} }, { constraint: { class_name: name, config } });
/** Transformations of Optax. */
export const transformation =
  (name: string, options: Readonly<Record<string, unknown>> = {}) =>
  (): OptimizerSpec =>
    fromOptax(name, options);
