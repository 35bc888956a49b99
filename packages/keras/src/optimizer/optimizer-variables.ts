import type { OptimizerSpec } from "@gradstep/core";
import { kerasSlot } from "@gradstep/core/interop";
import type { Hdf5Dataset } from "../hdf5/hdf5-tree.js";

/** A trainable variable of the model. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
}

/** One of the optimizer's variables, in the order of `optimizer.variables`. */
export type OptimizerVariable =
  | { readonly kind: "iterations" | "learningRate" | "product" | "growthSteps" | "lossScale" }
  /** What Keras stores and never reads. */
  | { readonly kind: "unused"; readonly value: number }
  | { readonly kind: "accumulator"; readonly parameter: Parameter }
  | {
      readonly kind: "slot";
      readonly parameter: Parameter;
      readonly slot: string;
      readonly factor: 1 | -1;
      readonly shape: readonly number[];
    }
  /** Adafactor's v of a matrix, which is computed from r and c at each step. */
  | { readonly kind: "estimate"; readonly parameter: Parameter };

/** The lists in which Keras's optimizers make their variables, by rule: those of one list alternate. */
const listsOf: Readonly<Record<string, readonly (readonly string[])[]>> = {
  sgd: [["momentum"]],
  adam: [["momentum", "velocity"], ["velocity_hat"]],
  adamw: [["momentum", "velocity"], ["velocity_hat"]],
  nadam: [["momentum", "velocity"]],
  lamb: [["momentum", "velocity"]],
  adamax: [["momentum", "norm"]],
  lion: [["momentum"]],
  rmsprop: [["velocity"], ["momentum"], ["average_gradient"]],
  adagrad: [["accumulator"]],
  adadelta: [["accumulated_grad", "accumulated_delta_var"]],
  ftrl: [["accumulator", "linear"]],
  "schedule-free-adamw": [["momentum", "velocity"]],
  // With the velocities of what AdamW updates.
  muon: [["momentum", "velocity"]],
};

/** Which optimizer it is, as far as its variables depend on it. */
export class OptimizerOutline {
  /** The rule and its stages. */
  readonly parts: readonly string[];
  readonly #rule: string;
  readonly #hasRate: boolean;
  readonly #isAccumulating: boolean;
  /** Whether a `LossScaleOptimizer` is around it. */
  readonly isWrapped: boolean;
  readonly #slotsOf: (name: string) => readonly string[];

  /** @param slotsOf the names of a parameter's slots */
  constructor(spec: OptimizerSpec, slotsOf: (name: string) => readonly string[]) {
    const { accumulate = 1, lossScale } = spec.control ?? {};
    this.#rule = spec.rule.name;
    this.parts = spec.rule.name.split("+");
    this.#hasRate = typeof spec.hyperparameters.learningRate === "number";
    this.#isAccumulating = accumulate > 1;
    this.isWrapped = lossScale !== undefined && typeof lossScale !== "number";
    this.#slotsOf = slotsOf;
  }

  /** The variables of the optimizer, or of the one in a `LossScaleOptimizer`, for parameters in this order. */
  variables(parameters: readonly Parameter[]): readonly OptimizerVariable[] {
    return [
      ...this.#head(),
      ...this.#lists().flatMap((names) =>
        parameters.flatMap((parameter) => this.#ofParameter(parameter, names)),
      ),
      // Keras loses track of it in a LossScaleOptimizer.
      ...(this.parts.includes("nadam") && !this.isWrapped ? [{ kind: "product" } as const] : []),
    ];
  }

  /** The variables of the `LossScaleOptimizer` itself, which come before those of the other. */
  wrapperVariables(): readonly OptimizerVariable[] {
    if (!this.isWrapped) return [];
    return [
      { kind: "unused", value: 0 },
      { kind: "unused", value: 0 },
      { kind: "growthSteps" },
      { kind: "lossScale" },
    ];
  }

  /** The variables of one parameter in the first list that has any, and where this list begins. */
  first(parameter: Parameter): readonly OptimizerVariable[] {
    for (const names of this.#lists()) {
      const variables = this.#ofParameter(parameter, names);
      if (variables.length > 0) return variables;
    }
    return [];
  }

  /** The number of variables before the first list. */
  get headLength(): number {
    return this.#head().length;
  }

  #head(): readonly OptimizerVariable[] {
    return [{ kind: "iterations" }, ...(this.#hasRate ? [{ kind: "learningRate" } as const] : [])];
  }

  #lists(): readonly (readonly string[])[] {
    return [
      ...(this.parts.includes("ema") ? [["average"]] : []),
      ...(this.#isAccumulating ? [["gradient_accumulator"]] : []),
      ...this.parts.flatMap((part) => {
        if (part === "adafactor") return [["r", "c", "v"]];
        return Object.hasOwn(listsOf, part) ? listsOf[part] : [];
      }),
    ];
  }

  #ofParameter(parameter: Parameter, names: readonly string[]): readonly OptimizerVariable[] {
    const { name, shape } = parameter;
    const slots = this.#slotsOf(name);
    return names.flatMap((own): OptimizerVariable[] => {
      if (own === "gradient_accumulator") return [{ kind: "accumulator", parameter }];
      if (this.parts.includes("adafactor") && own !== "average")
        return [adafactorVariable(parameter, own)];
      const counterpart = kerasSlot(this.#rule, own);
      if (counterpart === undefined || !slots.includes(counterpart.slot)) return [];
      return [{ kind: "slot", parameter, ...counterpart, shape }];
    });
  }
}

/** Keras keeps averages of rows and columns of the last two dimensions, and v itself for everything else. */
function adafactorVariable(parameter: Parameter, name: string): OptimizerVariable {
  const { shape } = parameter;
  const isVector = shape.length < 2;
  if (name === "v")
    return isVector
      ? { kind: "slot", parameter, slot: "r", factor: 1, shape }
      : { kind: "estimate", parameter };
  if (isVector) return { kind: "unused", value: 0 };
  const kept = name === "r" ? shape.slice(0, -1) : [...shape.slice(0, -2), shape.at(-1)!];
  return { kind: "slot", parameter, slot: name, factor: 1, shape: kept };
}

/** The shape of a variable; empty for a number. */
export function shapeOf(variable: OptimizerVariable): readonly number[] {
  switch (variable.kind) {
    case "slot":
      return variable.shape;
    case "accumulator":
    case "estimate":
      return variable.parameter.shape;
    case "iterations":
    case "learningRate":
    case "product":
    case "growthSteps":
    case "lossScale":
    case "unused":
      return [];
  }
}

/** Whether arrays of a file have the shapes of these variables. */
export function haveShapes(
  datasets: readonly Hdf5Dataset[],
  variables: readonly OptimizerVariable[],
): boolean {
  return (
    datasets.length === variables.length &&
    variables.every((variable, i) => isShape(datasets[i].shape, shapeOf(variable)))
  );
}

/** Whether two shapes are the same. */
export function isShape(got: readonly number[], expected: readonly number[]): boolean {
  return got.length === expected.length && got.every((length, i) => length === expected[i]);
}
