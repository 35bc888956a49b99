import type { Group } from "./groups.js";

/** A group of an optimizer: its hyperparameters can be read and set between steps; nothing recompiles. */
export type ParameterGroup<H extends string = string> = {
  /** Names of the parameters in it. */
  readonly parameters: readonly string[];
  /** Steps of this group so far: fewer than the optimizer's where it is not stepped at every one. */
  readonly iterations: number;
  /** At every how manieth step of the optimizer it is stepped. Can be set between steps. */
  every: number;
} & (string extends H ? Record<string, unknown> : Record<H, number>);

/** A group as the optimizer's user sees it. */
export function parameterGroup(group: Group, hyperparameters: readonly string[]): ParameterGroup {
  const facade = {
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
  };
  defineLive(facade, group, hyperparameters);
  return Object.seal(facade) as ParameterGroup;
}

/** Properties that read and set the hyperparameters of a group. */
export function defineLive(
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
