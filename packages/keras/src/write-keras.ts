import {
  checkOptions,
  GradstepError,
  show,
  type OptimizerConfig,
  type OptimizerSpec,
  type OptimizerState,
} from "@gradstep/core";
import { optimizerByName } from "@gradstep/core/by-name";
import { fromKeras, hasEffect, kerasClassOf, type KerasOptimizer } from "@gradstep/core/interop";
import { weightsName, writeArchive } from "./archive/archive.js";
import type { Hdf5Dataset, Hdf5Group, Hdf5Node } from "./hdf5/hdf5-tree.js";
import { sizeOfShape } from "./hdf5/hdf5-tree.js";
import { writeHdf5 } from "./hdf5/write-hdf5.js";
import type { VariableValues } from "./imported-checkpoint.js";
import { nameList } from "./name-list.js";
import { openKerasFile, optimizerPath, variablesAt, type KerasFile } from "./keras-file.js";
import { pathName } from "./model/layer-classes.js";
import { allVariables, type ModelVariable } from "./model/saveable.js";
import { trainableOrder, variablesByPath } from "./model/trainable-order.js";
import { defaultLayout, type WeightsLayout } from "./model/weights-layout.js";
import { checkIsExpressible, mainRule } from "./optimizer/expressible.js";
import { isShape, OptimizerOutline, type Parameter } from "./optimizer/optimizer-variables.js";
import { orderCheck, parameterOf } from "./optimizer/order-check.js";
import { datasetOf } from "./optimizer/state-to-keras.js";

/** What `writeKeras` writes. */
export interface KerasCheckpoint {
  /** What `optimizer.config()` returned. */
  readonly config: OptimizerConfig;
  /** What `optimizer.state()` resolved to. */
  readonly state: OptimizerState;
  /** All parameters of the optimizer, and other variables of the model, such as `batch_normalization/moving_mean`. */
  readonly parameters: Readonly<Record<string, VariableValues>>;
}

/** Options of `writeKeras`. */
export interface WriteKerasOptions {
  /**
   * A `.keras` or `.weights.h5` file of the same model, such as the one that was read. The result is a file of the same
   * kind. Variables that are not among the parameters keep the template's values.
   */
  readonly template?: Uint8Array | ArrayBuffer | Blob;
  /** As in `readKeras`, for a template that leaves several orders open. */
  readonly trainable?: readonly string[];
  /**
   * Without a template, where Keras has the variables:
   * `{ "layers/dense": ["features/kernel", "features/bias"] }`. Needed unless all layers have the default names of
   * Keras's own classes. Layers come in the order of the model.
   */
  readonly layers?: WeightsLayout;
}

/**
 * Writes a file that Keras 3 loads with `load_model` or `load_weights`, and trains on from.
 *
 * With a template, a file of its kind; without, a `.weights.h5` file. `load_weights` takes over the optimizer's state if
 * the model is compiled with the same optimizer and `model.optimizer.build(model.trainable_variables)` was called.
 *
 * @throws {GradstepError} `UNSUPPORTED` (an optimizer that Keras cannot express, listing every setting; an order or a
 * layout that cannot be told), `STATE_MISMATCH` (parameters or an optimizer that are not those of the template),
 * `INVALID_FILE`, `UNKNOWN_PARAMETER`, `UNKNOWN_OPTION`, `OUT_OF_MEMORY`
 */
export async function writeKeras(
  { config, state, parameters }: KerasCheckpoint,
  options: WriteKerasOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkOptions("writeKeras", options, ["template", "trainable", "layers"]);
  const { template, trainable, layers } = options;
  const spec = optimizerByName(config);
  checkIsExpressible(spec, state);
  const optimized = new Set(state.groups.flatMap((group) => group.parameters));
  const missing = [...optimized].filter((name) => !Object.hasOwn(parameters, name));
  if (missing.length > 0) mismatch([`parameters lacks ${nameList(missing)}`]);
  const outline = new OptimizerOutline(spec, (name) => Object.keys(state.slots[name] ?? {}));
  if (template === undefined) {
    const layout = layers ?? defaultLayout(Object.keys(parameters));
    const model = modelOf(layout, parameters);
    const order = Object.values(layout)
      .flat()
      .filter((name) => optimized.has(name))
      .map((name) => ({ name, shape: parameters[name].shape }));
    if (order.length !== optimized.size) {
      const all = Object.values(layout).flat();
      mismatch([`layers lacks ${[...optimized].filter((one) => !all.includes(one)).join(", ")}`]);
    }
    return writeHdf5(withOptimizer(model, outline, spec, state, order, isDouble(parameters)));
  }
  const file = await openKerasFile(template);
  checkSameOptimizer(file, spec, state);
  const order = templateOrder(file, outline, optimized, trainable);
  const weights = withOptimizer(
    withValues(file, parameters, optimized),
    outline,
    spec,
    state,
    order.map(parameterOf),
    isDouble(parameters),
  );
  const bytes = await writeHdf5(weights);
  if (file.archive === undefined) return bytes;
  return writeArchive(new Map([...file.archive, [weightsName, bytes]]));
}

/** A model with these variables and no optimizer. @throws {GradstepError} `STATE_MISMATCH` */
function modelOf(
  layout: WeightsLayout,
  parameters: Readonly<Record<string, VariableValues>>,
): Hdf5Group {
  const root = emptyGroup();
  setAt(root, "vars", { kind: "group", name: "model", children: new Map() });
  for (const [path, names] of Object.entries(layout)) {
    const datasets = names.map((name, i): [string, Hdf5Node] => {
      const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
      if (parameter === undefined) mismatch([`layers has ${show(name)}, which parameters lacks`]);
      return [String(i), datasetFor(parameter)];
    });
    const name = names[0]?.split("/").slice(0, -1).join("/") || path;
    setAt(root, `${path}/vars`, { kind: "group", name, children: new Map(datasets) });
  }
  return root;
}

/** The template's variables with new values. @throws {GradstepError} `STATE_MISMATCH`, listing everything that does not fit */
function withValues(
  { weights, model }: KerasFile,
  parameters: Readonly<Record<string, VariableValues>>,
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
function templateOrder(
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
function onlyTrainable(
  model: KerasFile["model"],
  optimized: ReadonlySet<string>,
): KerasFile["model"] {
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
function checkSameOptimizer(
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
  const main = (name: string): string =>
    name
      .split("+")
      .filter((one) => !["max-norm", "non-negative-weights", "unit-norm"].includes(one))
      .join("+");
  compare("the rule", main(spec.rule.name), main(expected.rule.name));
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

/** A static loss scale, or after how many steps a dynamic one grows; its present value is part of the state. */
function scaling({ control }: OptimizerSpec): unknown {
  const scale = control?.lossScale;
  if (scale === undefined || typeof scale === "number") return scale;
  return { growthInterval: (scale === "dynamic" ? undefined : scale.growthInterval) ?? 2000 };
}

function withOptimizer(
  root: Hdf5Group,
  outline: OptimizerOutline,
  spec: OptimizerSpec,
  state: OptimizerState,
  order: readonly Parameter[],
  double: boolean,
): Hdf5Group {
  const group = (
    variables: ReturnType<OptimizerOutline["variables"]>,
    name: string,
  ): Hdf5Group => ({
    kind: "group",
    name,
    children: new Map(variables.map((one, i) => [String(i), datasetOf(one, spec, state, double)])),
  });
  const variables = outline.variables(order);
  const className = kerasClassOf(mainRule(spec)!)!.className;
  const own = group(variables, pathName(className));
  const result = copyOf(root);
  if (outline.isWrapped) {
    setAt(
      result,
      "optimizer/vars",
      group([...outline.wrapperVariables(), ...variables], "loss_scale_optimizer"),
    );
  }
  setAt(result, optimizerPath(outline.isWrapped), own);
  return result;
}

function datasetFor({ shape, values }: VariableValues): Hdf5Dataset {
  const dtype = values instanceof Float64Array ? "<f8" : "<f4";
  if (values.length !== sizeOfShape(shape))
    mismatch([`a parameter has ${values.length} values for the shape [${shape.join(", ")}]`]);
  return { kind: "dataset", dtype, shape, values };
}

function isDouble(parameters: Readonly<Record<string, VariableValues>>): boolean {
  return Object.values(parameters).some(({ values }) => values instanceof Float64Array);
}

/** A group whose content is being made. */
type OpenGroup = Hdf5Group & { readonly children: Map<string, Hdf5Node> };

function emptyGroup(): OpenGroup {
  return { kind: "group", children: new Map() };
}

function copyOf(group: Hdf5Group): OpenGroup {
  return {
    ...group,
    children: new Map(
      [...group.children].map(([key, node]) => [key, node.kind === "group" ? copyOf(node) : node]),
    ),
  };
}

/** Puts a node at a path; groups on the way are made. */
function setAt(root: OpenGroup, path: string, node: Hdf5Node): void {
  const parts = path.split("/");
  const last = parts.pop()!;
  let group = root;
  for (const part of parts) {
    const next = group.children.get(part);
    const inner = next?.kind === "group" ? (next as OpenGroup) : emptyGroup();
    group.children.set(part, inner);
    group = inner;
  }
  group.children.set(last, node);
}

/** @throws {GradstepError} `STATE_MISMATCH` */
function mismatch(what: readonly string[]): never {
  throw new GradstepError(
    `The checkpoint cannot be written for this model:\n${what.map((one) => `- ${one}`).join("\n")}`,
    { code: "STATE_MISMATCH" },
  );
}
