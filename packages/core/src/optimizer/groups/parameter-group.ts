import { rejectUnknownProperties } from "../reject-unknown-properties.js";
import type { Group } from "./group.js";

/** A group of an optimizer. Its hyperparameters can be read and set between steps; nothing is recompiled. */
export type ParameterGroup<H extends string = string> = {
  /** Names of the parameters in it. */
  readonly parameters: readonly string[];
  /** Steps of this group so far: fewer than the optimizer's if `every` is above 1. */
  readonly iterations: number;
  /** The group is updated every `every` optimizer steps. Can be set between steps. */
  every: number;
  /** Whether the group stays as it is. Can be set between steps. */
  frozen: boolean;
  learningRate: number;
} & (string extends H ? Record<string, unknown> : Record<H, number>);

/** The public view of a group. */
export function parameterGroup(group: Group, hyperparameters: readonly string[]): ParameterGroup {
  const view = {
    get parameters() {
      return [...group.parameters];
    },
    get iterations() {
      return group.iterations;
    },
    get every() {
      return group.every;
    },
    set every(value) {
      group.set("every", value);
    },
    get frozen() {
      return group.frozen;
    },
    set frozen(value) {
      group.frozen = value;
    },
  };
  defineHyperparameters(view, group, hyperparameters);
  return Object.seal(rejectUnknownProperties(view)) as unknown as ParameterGroup;
}

/** Defines a property per hyperparameter, which reads and sets that of the group. */
export function defineHyperparameters(
  target: object,
  group: Pick<Group, "get" | "set">,
  hyperparameters: readonly string[],
): void {
  for (const name of hyperparameters) {
    Object.defineProperty(target, name, {
      enumerable: true,
      get: () => group.get(name),
      set: (value: unknown) => {
        group.set(name, value);
      },
    });
  }
}
