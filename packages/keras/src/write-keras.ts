import { type OptimizerSpec, type OptimizerState, show } from "@gradstep/core";
import { checkOptions } from "@gradstep/core/internal";
import { optimizerByName } from "@gradstep/core/by-name";
import {
  checkCheckpointParts,
  kerasClassOf,
  type CheckpointParts,
  type ParameterValues,
} from "@gradstep/core/interop";
import { weightsName, writeArchive } from "./archive/archive.js";
import { datasetFor } from "./hdf5/dataset-for.js";
import { copyOf, emptyGroup, setAt } from "./hdf5/edit-tree.js";
import type { Hdf5Group, Hdf5Node } from "./hdf5/hdf5-tree.js";
import { writeHdf5 } from "./hdf5/write-hdf5.js";
import { openKerasFile, optimizerPath } from "./keras-file.js";
import { mismatch } from "./mismatch.js";
import { pathName } from "./model/layer-classes.js";
import { checkLayout, defaultLayout, type WeightsLayout } from "./model/weights-layout.js";
import { checkNames, nameList } from "./name-list.js";
import { checkIsExpressible, mainRule } from "./optimizer/expressible.js";
import { OptimizerOutline, type Parameter } from "./optimizer/optimizer-variables.js";
import { parameterOf } from "./optimizer/order-check.js";
import { datasetOf } from "./optimizer/state-to-keras.js";
import { checkSameOptimizer, templateOrder, withValues } from "./template.js";

/** What `writeKeras` writes. */
export interface KerasCheckpointSource extends CheckpointParts {
  /** All parameters of the optimizer, and other variables of the model, such as `batch_normalization/moving_mean`. */
  readonly parameters: Readonly<Record<string, ParameterValues>>;
}

/** Options of `writeKeras`. */
export interface WriteKerasOptions {
  /**
   * A `.keras` or `.weights.h5` file of the same model, such as the one that was read. The result is a file of the same
   * kind. Variables that are not among the parameters keep the template's values.
   */
  readonly template?: Uint8Array | ArrayBuffer | Blob | undefined;
  /** As in `readKeras`, for a template that leaves several orders open. */
  readonly trainable?: readonly string[] | undefined;
  /**
   * Without a template, where Keras has the variables:
   * `{ "layers/dense": ["features/kernel", "features/bias"] }`. Needed unless all layers have the default names of
   * Keras's own classes. Layers come in the order of the model.
   */
  readonly layers?: WeightsLayout | undefined;
}

/**
 * Writes a file that Keras 3 loads with `load_model` or `load_weights`, and trains on from.
 *
 * With a template, a file of its kind; without, a `.weights.h5` file. `load_weights` takes over the optimizer's state if
 * the model is compiled with the same optimizer and `model.optimizer.build(model.trainable_variables)` was called.
 *
 * @throws {GradstepError} `UNSUPPORTED` (an optimizer that Keras cannot express, listing every setting; an order or a
 * layout that cannot be told), `STATE_MISMATCH` (a configuration, a state and parameters that do not belong together, or are
 * not those of the template), `INVALID_PARAMETER`, `INVALID_FILE`, `UNKNOWN_PARAMETER`, `UNKNOWN_OPTION`,
 * `INVALID_HYPERPARAMETER`, `OUT_OF_MEMORY`
 */
export async function writeKeras(
  source: KerasCheckpointSource,
  options: WriteKerasOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkCheckpointParts("writeKeras", source);
  const { config, state, parameters } = source;
  checkOptions("writeKeras", options, ["template", "trainable", "layers"]);
  const { template, trainable, layers } = options;
  if (trainable !== undefined) checkNames("writeKeras: trainable", trainable, "dense/kernel");
  if (layers !== undefined) checkLayout("writeKeras: layers", layers);
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
      const placed = order.map(({ name }) => name);
      const absent = [...optimized].filter((name) => !placed.includes(name));
      const repeated = [...new Set(placed.filter((name, i) => placed.indexOf(name) !== i))];
      mismatch([
        ...(absent.length > 0 ? [`layers lacks ${nameList(absent)}`] : []),
        ...(repeated.length > 0 ? [`layers has ${nameList(repeated)} more than once`] : []),
      ]);
    }
    return writeHdf5(
      withOptimizer(model, outline, { spec, state, order, inF64: areF64(parameters) }),
    );
  }
  const file = await openKerasFile(template);
  checkSameOptimizer(file, spec, state);
  const order = templateOrder(file, outline, optimized, trainable);
  const weights = withOptimizer(withValues(file, parameters, optimized), outline, {
    spec,
    state,
    order: order.map(parameterOf),
    inF64: areF64(parameters),
  });
  const bytes = await writeHdf5(weights);
  if (file.archive === undefined) return bytes;
  return writeArchive(new Map([...file.archive, [weightsName, bytes]]));
}

/** A model with these variables and no optimizer. @throws {GradstepError} `STATE_MISMATCH` */
function modelOf(
  layout: WeightsLayout,
  parameters: Readonly<Record<string, ParameterValues>>,
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

interface WrittenOptimizer {
  readonly spec: OptimizerSpec;
  readonly state: OptimizerState;
  readonly order: readonly Parameter[];
  /** Whether values are f64. */
  readonly inF64: boolean;
}

function withOptimizer(
  root: Hdf5Group,
  outline: OptimizerOutline,
  { spec, state, order, inF64 }: WrittenOptimizer,
): Hdf5Group {
  const group = (
    variables: ReturnType<OptimizerOutline["variables"]>,
    name: string,
  ): Hdf5Group => ({
    kind: "group",
    name,
    children: new Map(variables.map((one, i) => [String(i), datasetOf(one, spec, state, inF64)])),
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

function areF64(parameters: Readonly<Record<string, ParameterValues>>): boolean {
  return Object.values(parameters).some(({ values }) => values instanceof Float64Array);
}
