import { sizeOf } from "@gradstep/core";
import type { ErrorModel } from "../../bounds/error-model.js";
import type { Snapshot } from "../../checker/snapshot.js";
import { randomGradient } from "../random/random-values.js";
import type { Random } from "../random/random.js";
import { givenGradient, randomStored, type GivenGradient } from "./given-gradient.js";
import type { LaidOutOptimizer } from "./laid-out-optimizer.js";
import { partOf } from "./laid-out-parameter.js";
import { mapValues } from "./map-values.js";

type ByName<T> = Readonly<Record<string, T>>;

/** Random gradients of these parameters, as they are stored: numbers of the type of their field. */
export function randomNumbers(
  { memory, parameters }: LaidOutOptimizer,
  names: readonly string[],
  random: Random,
): ByName<ArrayLike<number>> {
  return Object.fromEntries(
    names.map((name) => {
      const length = sizeOf(parameters[name].shape);
      const field = memory.field(partOf.gradient(name));
      return [
        name,
        field === undefined ? randomGradient(length, random) : randomStored(field, length, random),
      ];
    }),
  );
}

/** What these numbers stand for in a step with this scale. */
export function givenGradients(
  {
    laidOut: { memory, parameters },
    before,
    model,
  }: {
    readonly laidOut: LaidOutOptimizer;
    readonly before: ByName<Snapshot>;
    readonly model: ErrorModel;
  },
  numbers: ByName<ArrayLike<number>>,
  scale: number,
): ByName<GivenGradient> {
  return mapValues(numbers, (one, name) => {
    const { shape, gradientActivation: activation } = parameters[name];
    const field = memory.field(partOf.gradient(name));
    return givenGradient(
      { numbers: one, field, scale, activation },
      { shape, values: before[name].p },
      model,
    );
  });
}
