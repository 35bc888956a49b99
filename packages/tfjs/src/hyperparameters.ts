import { GradstepError } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";

/**
 * Defines properties that read and set hyperparameters.
 * @param names of the properties; or pairs of a property and the hyperparameter that it stands for.
 */
export function defineHyperparameters(
  target: object,
  source: object,
  names: readonly (string | readonly [property: string, hyperparameter: string])[],
): void {
  const values = source as Record<string, number>;
  for (const name of names) {
    const [property, hyperparameter] = typeof name === "string" ? [name, name] : name;
    Object.defineProperty(target, property, {
      enumerable: true,
      configurable: true,
      get: () => values[hyperparameter],
      set: (value: number) => {
        values[hyperparameter] = value;
      },
    });
  }
}

/** What other libraries call hyperparameters. */
const foreignNames: Readonly<Record<string, string>> = {
  lr: "learningRate",
  learning_rate: "learningRate",
  beta_1: "beta1",
  beta_2: "beta2",
  eps: "epsilon",
  weight_decay: "weightDecay",
};

/**
 * Makes an assignment to a hyperparameter that an optimizer does not have an error: JavaScript would add a property
 * that has no effect.
 */
export function rejectMisnamedHyperparameters(prototype: object): void {
  const others = [...rules, ...stages].flatMap((rule) => Object.keys(rule.hyperparameters));
  for (const name of new Set([...Object.keys(foreignNames), ...others])) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get: () => undefined,
      set() {
        const remedy =
          name in foreignNames ? ` Set ${foreignNames[name]}.` : " Use an optimizer that has it.";
        throw new GradstepError(`This optimizer has no hyperparameter "${name}".${remedy}`, {
          code: "UNKNOWN_OPTION",
        });
      },
    });
  }
}
