import { isSameShape } from "@gradstep/core/internal";
import { GradstepError } from "@gradstep/core";
import {
  initialState,
  type ImportedCheckpoint,
  type ParameterValues,
} from "@gradstep/core/interop";
import type { io } from "@tensorflow/tfjs-core";
import { withoutUniquenessNumber } from "../state/name-numbering.js";
import { quoted } from "../state/name-matching.js";
import type { TfOptimizerState } from "../state/optimizer-state.js";
import type { ReadWeight } from "../state/read-weights.js";
import { decodeArtifacts } from "./artifacts.js";
import { continueFrom, specOfSaved } from "./saved-optimizer.js";

/**
 * A model and its optimizer, for any backend: `createOptimizer(spec, tensors).restore(state)` of `@gradstep/core` goes on
 * where TF.js stopped.
 */
export interface TfjsCheckpoint extends ImportedCheckpoint {
  /** The model's other weights, such as the averages of batch normalization. */
  readonly otherTensors: Readonly<Record<string, ParameterValues>>;
}

/**
 * Reads a model that TF.js saved with its optimizer: `model.save(handler, { includeOptimizer: true })`, with one of TF.js's
 * own optimizers or one of gradstep.
 *
 * Without slots, as with SGD, the file does not say which weights are trained: then all but the averages of batch
 * normalization are.
 *
 * @param artifacts what the handler's `save` got, or its `load` returned.
 * @throws {GradstepError} `INVALID_FILE` (what is missing or does not belong together, NaN), `STATE_MISMATCH`, `UNSUPPORTED`
 * (a class that is not known), `UNKNOWN_RULE`, `INVALID_HYPERPARAMETER`
 */
export async function readTfjs(artifacts: io.ModelArtifacts): Promise<TfjsCheckpoint> {
  const { modelWeights, optimizer: saved } = await decodeArtifacts(artifacts);
  if (saved === undefined || saved.weights.length === 0)
    throw new GradstepError(
      `The model was saved without ${saved === undefined ? "its optimizer" : "the weights of its optimizer"}; expected both. Save it with includeOptimizer: true, with TF.js 1.2 or later.`,
      { code: "INVALID_FILE" },
    );
  const spec = specOfSaved(saved);
  const optimizer = continueFrom(saved);
  const read = await optimizer.state().finally(() => optimizer.dispose());
  const names = namesIn(modelWeights, read);
  const trained = modelWeights.filter(({ name }) =>
    names.size > 0 ? names.has(name) : !/\/moving_(mean|variance)$/.test(name),
  );
  const tableOf = (weights: readonly ReadWeight[]): Record<string, ParameterValues> =>
    Object.fromEntries(
      weights.map(({ name, shape, values }) => [
        name,
        { shape, values: Float32Array.from(values) },
      ]),
    );
  const parameters = tableOf(trained);
  const shapes = Object.fromEntries(trained.map(({ name, shape }) => [name, shape]));
  const initial = await initialState(spec, shapes);
  const renamed = <T>(table: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      [...names].flatMap(([name, key]) => (Object.hasOwn(table, key) ? [[name, table[key]]] : [])),
    );
  const { fingerprints: _, ...state } = read;
  return {
    spec,
    parameters,
    otherTensors: tableOf(modelWeights.filter((weight) => !trained.includes(weight))),
    state: {
      ...state,
      shapes,
      groups: state.groups.map((group, i) => ({
        ...group,
        parameters: initial.groups[i].parameters,
      })),
      slots: { ...initial.slots, ...renamed(state.slots) },
      ...(state.control !== undefined && {
        control: { ...state.control, accumulated: renamed(state.control.accumulated) },
      }),
    },
  };
}

/**
 * For the weights of the model that the optimizer has a state for, the key of the state.
 * @throws {GradstepError} `INVALID_FILE`
 */
function namesIn(
  weights: readonly ReadWeight[],
  { shapes }: TfOptimizerState,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, shape] of Object.entries(shapes)) {
    // The name of a weight in the file is that of its variable without the number that makes it unique.
    const weight =
      weights.find(({ name }) => name === key) ??
      weights.find(({ name }) => name === withoutUniquenessNumber(key));
    if (weight === undefined || found.has(weight.name))
      throw new GradstepError(
        `The optimizer has a state for "${key}", and the model the weights ${quoted(weights.map(({ name }) => name))}; expected one weight for each state. Use one optimizer per model, and names for layers.`,
        { code: "INVALID_FILE" },
      );
    if (!isSameShape(weight.shape, shape))
      throw new GradstepError(
        `The optimizer's state of "${key}" has the shape [${shape.join(", ")}], and the weight [${weight.shape.join(", ")}]; expected the same. The layers that are trained were changed before the model was saved: begin with a new optimizer.`,
        { code: "INVALID_FILE" },
      );
    found.set(weight.name, key);
  }
  return found;
}
