import { GradstepError, hasNames, show } from "@gradstep/core";
import { checkNames } from "../name-list.js";
import { knownVariables } from "./layer-classes.js";

/**
 * Where Keras has the variables of each layer: the path of the layer in a `.weights.h5` file, and the names of its
 * variables in the order of the layer. Layers come in the order of the model.
 */
export type WeightsLayout = Readonly<Record<string, readonly string[]>>;

/**
 * @param what whose option it is, and which, as the message begins
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`
 */
export function checkLayout(what: string, layout: unknown): void {
  if (!hasNames(layout))
    throw new GradstepError(
      `${what} is ${show(layout)}; expected lists of names by the paths of layers, such as { "layers/dense": ["dense/kernel", "dense/bias"] }.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  for (const [path, names] of Object.entries(layout))
    checkNames(`${what}[${show(path)}]`, names, "dense/kernel");
}

/**
 * The layout of a model that is a list of layers of Keras's own classes with their default names: `dense/kernel`,
 * `dense_1/bias`. Keras stores a layer under its class and its number among the layers of this class.
 * @throws {GradstepError} `UNSUPPORTED` for other names
 */
export function defaultLayout(names: readonly string[]): WeightsLayout {
  const layers = new Map<string, string[]>();
  for (const name of names) {
    const [layer, variable, ...rest] = name.split("/");
    if (variable === undefined || rest.length > 0) unknown(name);
    layers.set(layer, [...(layers.get(layer) ?? []), variable]);
  }
  const counts = new Map<string, number>();
  return Object.fromEntries(
    [...layers].map(([layer, own]) => {
      const className = layer.replace(/_\d+$/, "");
      const known = knownVariables(className, own.length)?.map(({ name }) => name);
      if (known === undefined || own.some((one) => !known.includes(one))) {
        if (className === "batch_normalization") incomplete(layer, own);
        unknown(`${layer}/${own[0]}`);
      }
      const count = counts.get(className) ?? 0;
      counts.set(className, count + 1);
      const path = `layers/${className}${count === 0 ? "" : `_${count}`}`;
      return [path, known.map((one) => `${layer}/${one}`)];
    }),
  );
}

function incomplete(layer: string, own: readonly string[]): never {
  throw new GradstepError(
    `Got ${own.map((one) => show(`${layer}/${one}`)).join(", ")}; expected all variables of this layer, ${layer}/moving_mean and ${layer}/moving_variance included: only a template has values for those that are missing. Add them to parameters, or pass a file of the model as template.`,
    { code: "UNSUPPORTED" },
  );
}

function unknown(name: string): never {
  throw new GradstepError(
    `The name ${show(name)} does not say where Keras has this variable; expected a layer with its default name and a variable, such as dense_1/kernel. Pass a file of the model as template, or { layers: { "layers/dense": ["${name}", …] } }.`,
    { code: "UNSUPPORTED" },
  );
}
