import type { OptimizerSpec, OptimizerState } from "@gradstep/core";
import {
  fromKeras,
  hasEffect,
  type KerasOptimizer,
  type ParameterValues,
} from "@gradstep/core/interop";
import { datasetFor } from "./hdf5/dataset-for.js";
import { copyOf, setAt } from "./hdf5/edit-tree.js";
import type { Hdf5Group } from "./hdf5/hdf5-tree.js";
import { optimizerPath, variablesAt, type KerasFile } from "./keras-file.js";
import { mismatch } from "./mismatch.js";
import { allVariables, type ModelVariable, type Saveable } from "./model/saveable.js";
import { trainableOrder, variablesByPath } from "./model/trainable-order.js";
import { nameList } from "./name-list.js";
import { withoutConstraints } from "./optimizer/expressible.js";
import { isShape, type OptimizerOutline } from "./optimizer/optimizer-variables.js";
import { orderCheck, parameterOf } from "./optimizer/order-check.js";

/** The template's variables with new values. @throws {GradstepError} `STATE_MISMATCH`, listing everything that does not fit */
export function withValues(
  { weights, model }: KerasFile,
  parameters: Readonly<Record<string, ParameterValues>>,
  optimized: ReadonlySet<string>,
): Hdf5Group {
  const variables = new Map(allVariables(model).map((one) => [one.name, one]));
  const root = copyOf(weights);
  const misfits: string[] = [];
  for (const [name, parameter] of Object.entries(parameters)) {
    const variable = variables.get(name);
    if (variable === undefined)
      misfits.push(
        `${name}${optimized.has(name) ? "" : " (which the optimizer does not have, either)"} is not in the template, which has ${nameList([...variables.keys()])}`,
      );
    else if (!isShape(parameter.shape, variable.dataset.shape))
      misfits.push(
        `${name} has the shape [${parameter.shape.join(", ")}] and [${variable.dataset.shape.join(", ")}] in the template`,
      );
    else setAt(root, variable.path, datasetFor(parameter));
  }
  if (misfits.length > 0) mismatch(misfits);
  return root;
}

/** The optimizer's parameters in the order of the template. */
export function templateOrder(
  file: KerasFile,
  outline: OptimizerOutline,
  optimized: ReadonlySet<string>,
  trainable: readonly string[] | undefined,
): readonly ModelVariable[] {
  const named = trainable && variablesByPath(file.model, trainable);
  const variables = allVariables(file.model);
  const known = new Map(variables.map((one) => [one.name, one]));
  const unknown = [...optimized].filter((name) => !known.has(name));
  if (unknown.length > 0)
    mismatch([
      `${nameList(unknown)} is not in the template, which has ${nameList([...known.keys()])}`,
    ]);
  if (named !== undefined) {
    const names = new Set(named.map(({ name }) => name));
    const others = [...names].filter((name) => !optimized.has(name));
    const missing = [...optimized].filter((name) => !names.has(name));
    if (others.length + missing.length > 0)
      mismatch([
        `trainable has ${others.join(", ") || "nothing"} that the optimizer lacks, and lacks ${missing.join(", ") || "nothing"}`,
      ]);
    return named;
  }
  const parameters = [...optimized].map((name) => parameterOf(known.get(name)!));
  const isStateless = outline.variables(parameters).length === outline.variables([]).length;
  const chosen = variables.filter(({ name }) => optimized.has(name));
  if (isStateless) return chosen;
  const datasets = variablesAt(file.weights, optimizerPath(outline.isWrapped));
  const byShapes = orderCheck(outline, datasets, chosen);
  const check =
    datasets.length === outline.variables(parameters).length
      ? byShapes
      : {
          count: optimized.size,
          next: (position: number) => position + 1,
          isComplete: (all: readonly ModelVariable[]) => all.length === optimized.size,
        };
  const order = trainableOrder(onlyTrainable(file.model, optimized), check);
  return (
    order ??
    mismatch([
      "the optimizer's variables in the template have other shapes. Pass a template of the same model and optimizer",
    ])
  );
}

/** The model with everything else marked as not trainable. */
function onlyTrainable(model: Saveable, optimized: ReadonlySet<string>): Saveable {
  return {
    ...model,
    variables: model.variables.map((one) => ({ ...one, isTrainable: optimized.has(one.name) })),
    children: model.children.map((child) => ({
      ...child,
      saveable: onlyTrainable(child.saveable, optimized),
    })),
  };
}

/** A `.keras` file says which optimizer it is for. @throws {GradstepError} `STATE_MISMATCH` */
export function checkSameOptimizer(
  { optimizer }: KerasFile,
  spec: OptimizerSpec,
  state: OptimizerState,
): void {
  if (optimizer === undefined) return;
  const expected = fromKeras(optimizer as KerasOptimizer);
  const misfits: string[] = [];
  const compare = (what: string, got: unknown, other: unknown): void => {
    const [a, b] = [got, other].map((one) => JSON.stringify(one) ?? "left out");
    if (a !== b) misfits.push(`${what} is ${a}, and ${b} in the template`);
  };
  compare("the rule", withoutConstraints(spec).join("+"), withoutConstraints(expected).join("+"));
  if (misfits.length === 0) {
    for (const [name, value] of Object.entries(expected.options))
      if (hasEffect(name, spec.options, [spec.hyperparameters]))
        compare(name, spec.options[name], value);
    for (const [name, value] of Object.entries(expected.hyperparameters)) {
      const got = state.hyperparameters[name];
      // A rate that is a number is a variable of the file.
      if (name !== "learningRate" || typeof got !== "number" || typeof value !== "number")
        compare(name, got, value);
    }
    compare("accumulate", spec.control?.accumulate, expected.control?.accumulate);
    compare("lossScale", scaling(spec), scaling(expected));
  }
  if (misfits.length > 0)
    mismatch([
      ...misfits,
      "compile the model with the optimizer that was used here, save it, and pass that as template",
    ]);
}

/** A static loss scale, or after how many steps a dynamic one grows; its current value is part of the state. */
function scaling({ control }: OptimizerSpec): unknown {
  const scale = control?.lossScale;
  if (scale === undefined || typeof scale === "number") return scale;
  return { growthInterval: (scale === "dynamic" ? undefined : scale.growthInterval) ?? 2000 };
}
