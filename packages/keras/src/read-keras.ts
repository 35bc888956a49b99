import { GradstepError, type OptimizerSpec, type Values } from "@gradstep/core";
import { checkOptions } from "@gradstep/core/internal";
import {
  fromKeras,
  initialState,
  type KerasConstraint,
  type KerasOptimizer,
  type ParameterValues,
} from "@gradstep/core/interop";
import { sizeOfShape, type Hdf5Dataset } from "./hdf5/hdf5-tree.js";
import type { KerasCheckpoint } from "./keras-checkpoint.js";
import { checkNames, nameList } from "./name-list.js";
import { openKerasFile, optimizerPath, variablesAt } from "./keras-file.js";
import { allVariables, type ModelVariable } from "./model/saveable.js";
import { trainableOrder, variablesByPath } from "./model/trainable-order.js";
import { haveShapes, OptimizerOutline } from "./optimizer/optimizer-variables.js";
import { orderCheck, parameterOf } from "./optimizer/order-check.js";
import { stateFromKeras } from "./optimizer/state-from-keras.js";

/** Options of `readKeras`. */
export interface ReadKerasOptions {
  /**
   * The optimizer, what `fromKeras` returned. Required for a `.weights.h5` file, which does not say; a `.keras` file says
   * itself unless the model was not compiled.
   */
  readonly spec?: OptimizerSpec | undefined;
  /**
   * The trainable variables in the order of the model: what `[v.path for v in model.trainable_variables]` prints in
   * Python. Needed only where the file leaves several orders open; `readKeras` says so.
   */
  readonly trainable?: readonly string[] | undefined;
  /** The constraint of the variables, for a `.keras` file; see `fromKeras`. */
  readonly constraint?: KerasConstraint | null | undefined;
}

/**
 * Reads a model of Keras 3 with its optimizer: a `.keras` or `.weights.h5` file. The next step gives the numbers that
 * Keras's next step would give.
 *
 * Variables of layers of an unknown class, which have no names in the file, are called by their numbers, `my_layer/0`,
 * unless `trainable` names them.
 *
 * @throws {GradstepError} `INVALID_FILE` (not such a file, or a damaged one), `UNSUPPORTED` (an optimizer, LoRA weights, a type of
 * numbers or a file of Keras 2; an order that cannot be told), `STATE_MISMATCH` (the variables are those of another
 * optimizer), `UNKNOWN_PARAMETER`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export async function readKeras(
  source: Uint8Array | ArrayBuffer | Blob,
  options: ReadKerasOptions = {},
): Promise<KerasCheckpoint> {
  checkOptions("readKeras", options, ["spec", "trainable", "constraint"]);
  const { trainable, constraint = null } = options;
  if (trainable !== undefined) checkNames("readKeras: trainable", trainable, "dense/kernel");
  const { weights, model, optimizer } = await openKerasFile(source);
  const spec = options.spec ?? specOf(optimizer, constraint);
  const named = trainable && variablesByPath(model, trainable);
  const candidates = allVariables(model).filter(({ isTrainable }) => isTrainable !== false);
  // Names of variables, by which groups select them, are known from here on.
  const everything = await initialState(spec, shapesByName(named ?? candidates));
  const outline = new OptimizerOutline(spec, (name) => Object.keys(everything.slots[name] ?? {}));
  const path = optimizerPath(outline.isWrapped);
  const datasets = variablesAt(weights, path);
  if (datasets.length === 0) {
    throw new GradstepError(
      `The file has no optimizer variables at ${path}. Save the model after compile() and a step; for its weights alone, load the file in Keras.`,
      { code: "STATE_MISMATCH" },
    );
  }
  const hasNone = outline.variables([]).length;
  const isStateless = outline.variables(candidates.map(parameterOf)).length === hasNone;
  /** Keras makes the variables at the first step. */
  const isUnbuilt = datasets.length === outline.headLength && Number(datasets[0].values[0]) === 0;
  const order =
    named ??
    (isUnbuilt || isStateless
      ? candidates
      : trainableOrder(model, orderCheck(outline, datasets, candidates)));
  const variables = outline.variables((order ?? []).map(parameterOf));
  const used = isUnbuilt ? variables.slice(0, datasets.length) : variables;
  if (order === undefined || !haveShapes(datasets, used)) {
    throw new GradstepError(
      `The file has ${datasets.length} optimizer variables, ${shapesOf(datasets)}, which are not those of ${spec.rule.name} for the variables ${nameList(candidates.map(({ name, dataset }) => `${name} ${shapeText(dataset.shape)}`))}. Pass the optimizer that the model was compiled with as spec, and its trainable variables as \`trainable\`: what [v.path for v in model.trainable_variables] prints in Python.`,
      { code: "STATE_MISMATCH" },
    );
  }
  const wrapper = outline.wrapperVariables();
  const outer = wrapper.length === 0 ? [] : variablesAt(weights, "optimizer/vars");
  if (outer.length < wrapper.length && wrapper.length > 0 && !isUnbuilt) {
    throw new GradstepError(
      `The file has ${outer.length} variables of the LossScaleOptimizer; expected at least ${wrapper.length}.`,
      { code: "STATE_MISMATCH" },
    );
  }
  const initial = await initialState(spec, shapesByName(order));
  const state = stateFromKeras(spec, initial, [
    ...wrapper.slice(0, outer.length).map((one, i) => [one, outer[i]] as const),
    ...used.map((one, i) => [one, datasets[i]] as const),
  ]);
  const chosen = new Set(order);
  const others = allVariables(model).filter((one) => !chosen.has(one));
  return { spec, parameters: valuesOf(order), otherTensors: valuesOf(others), state };
}

function specOf(optimizer: unknown, constraint: KerasConstraint | null): OptimizerSpec {
  if (optimizer !== undefined) return fromKeras(optimizer as KerasOptimizer, { constraint });
  throw new GradstepError(
    'The file does not say which optimizer it is from: a .weights.h5 file never does, a .keras file only of a compiled model. Pass { spec: fromKeras({ class_name: "Adam", config: { … } }) }, with what keras.optimizers.serialize(model.optimizer) returns.',
    { code: "UNSUPPORTED" },
  );
}

function shapesByName(variables: readonly ModelVariable[]): Record<string, readonly number[]> {
  return Object.fromEntries(variables.map(({ name, dataset: { shape } }) => [name, shape]));
}

function valuesOf(variables: readonly ModelVariable[]): Record<string, ParameterValues> {
  return Object.fromEntries(
    variables.map(({ name, dataset: { shape, values } }) => [
      name,
      { shape, values: isFloat(values) ? values : Float64Array.from(values as never, Number) },
    ]),
  );
}

function isFloat(values: Hdf5Dataset["values"]): values is Values {
  return values instanceof Float32Array || values instanceof Float64Array;
}

function shapesOf(datasets: readonly Hdf5Dataset[]): string {
  const shown = datasets.slice(0, 20).map(({ shape }) => shapeText(shape));
  return `${shown.join(" ")}${datasets.length > shown.length ? " …" : ""}`;
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]${sizeOfShape(shape) === 0 ? " (empty)" : ""}`;
}
