import { GradstepError } from "@gradstep/core";
import { propertyOf } from "@gradstep/core/internal";
import type { NamedTensorMap, serialization } from "@tensorflow/tfjs-core";
import { defineHyperparameters } from "../hyperparameters.js";
import { GradstepOptimizer, implementation, markLoaded } from "../gradstep-optimizer.js";
import { rejectUnknownProperties } from "../reject-unknown-properties.js";
import type { NamedTensor } from "../step/gradients.js";
import { kinds, tfjsNames, type TfjsKind, type TfjsName } from "./kinds.js";
import { numberOf, specOf } from "./tfjs-spec.js";
import { withMomenta } from "./momenta.js";
import { withTfjsGradients } from "./gradient-conversion.js";

/** The class of one of TF.js's optimizers, with the arguments of TF.js's constructor. */
export interface TfjsOptimizerClass {
  new (...settings: unknown[]): GradstepOptimizer;
  readonly className: string;
  fromConfig: typeof GradstepOptimizer.fromConfig;
}

/** The optimizers that replace TF.js's own, by their names in `tf.train`. */
export const tfjsOptimizers: Readonly<Record<TfjsName, TfjsOptimizerClass>> = Object.fromEntries(
  tfjsNames.map((name) => [name, defineClass(name)]),
) as Record<TfjsName, TfjsOptimizerClass>;

/**
 * A class with TF.js's numbers, arguments and property names, with its form in saved models, and as lenient: text
 * counts as a number, rates may be negative, gradients are cast and broadcast, and a step may have no gradient.
 */
function defineClass(name: TfjsName): TfjsOptimizerClass {
  const { className, parameters, renamed = {}, flags = [] }: TfjsKind = kinds[name];
  const owner = `tf.train.${name}`;
  const hyperparameters = parameters.filter((key) => !flags.includes(key));

  const type = class extends GradstepOptimizer {
    static override get className(): string {
      return className;
    }

    static override fromConfig<T extends serialization.Serializable>(
      cls: serialization.SerializableConstructor<T>,
      config: serialization.ConfigDict,
    ): T {
      const make = cls as unknown as new (...settings: unknown[]) => T;
      const optimizer = new make(...parameters.map((key) => propertyOf(config, key)));
      markLoaded(optimizer);
      return optimizer;
    }

    constructor(...settings: unknown[]) {
      const given = Object.fromEntries(parameters.map((key, i) => [key, settings[i]]));
      super(specOf(name, given));
      const core = this[implementation].core as unknown as Record<string, number>;
      const numbers = new Proxy(core, {
        set: (target, key, value) => {
          const number = numberOf(owner, argumentOf(key as string), value);
          try {
            return Reflect.set(target, key, number);
          } catch (cause) {
            throw withoutStateFor(owner, argumentOf(key as string), number, cause);
          }
        },
      });
      // TF.js's saved form has no place for other hyperparameters of the rule.
      for (const key of Object.keys(this)) if (key in core) Reflect.deleteProperty(this, key);
      defineHyperparameters(
        this,
        numbers,
        hyperparameters.flatMap((key) => {
          const ours = renamed[key] ?? key;
          return ours === key ? [key] : [ours, [key, ours] as const];
        }),
      );
      for (const flag of flags) defineFlag(this, owner, flag, Boolean(given[flag]));
      // As in TF.js, only the optimizer with momentum has it.
      if (name === "momentum")
        Object.defineProperty(this, "setMomentum", {
          value: (momentum: number) => {
            numbers["momentum"] = momentum;
          },
        });
    }

    override applyGradients(variableGradients: NamedTensorMap | NamedTensor[]): void {
      withTfjsGradients(variableGradients, (gradients) => {
        if (gradients.length === 0) this.incrementIterations();
        else super.applyGradients(gradients);
      });
    }

    override getConfig(): serialization.ConfigDict {
      const values = this as unknown as Record<string, number | boolean>;
      return Object.fromEntries(parameters.map((key) => [key, values[key]]));
    }

    override async getWeights(): Promise<NamedTensor[]> {
      const weights = await super.getWeights();
      return name === "rmsprop" ? withMomenta(weights) : weights;
    }
  };
  rejectUnknownProperties(type.prototype);
  Object.defineProperty(type, "name", { value: `${className}Optimizer` });
  return type;

  /** What TF.js calls a hyperparameter. */
  function argumentOf(key: string): string {
    return hyperparameters.find((one) => renamed[one] === key) ?? key;
  }
}

/** A flag as a property, which TF.js reads in every step; here it is part of the compiled rule. */
function defineFlag(target: object, owner: string, flag: string, chosen: boolean): void {
  Object.defineProperty(target, flag, {
    enumerable: true,
    get: () => chosen,
    set: (value: unknown) => {
      if (Boolean(value) === chosen) return;
      throw new GradstepError(
        `${owner}: ${flag} is ${chosen} and cannot be changed; create another optimizer.`,
        { code: "UNSUPPORTED" },
      );
    },
  });
}

/** Core's error names its own rule. */
function withoutStateFor(owner: string, key: string, value: number, cause: unknown): Error {
  return new GradstepError(
    `${owner}: ${key} is ${value}; expected 0, because the optimizer was created with ${key} 0 and has no state for it. Create it with another ${key}.`,
    { code: "INVALID_HYPERPARAMETER", cause },
  );
}
