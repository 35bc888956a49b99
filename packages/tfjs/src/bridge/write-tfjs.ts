import { GradstepError } from "@gradstep/core";
import {
  checkCheckpointParts,
  toTfjs,
  type CheckpointParts,
  type ParameterValues,
} from "@gradstep/core/interop";
import { io } from "@tensorflow/tfjs-core";
import { lazyTensor } from "../state/lazy-tensor.js";
import { kinds, type TfjsName } from "../tfjs-optimizers/kinds.js";
import { withOptimizer } from "./artifacts.js";
import { tfjsWeights } from "./tfjs-weights.js";

/** What `writeTfjs` writes. */
export interface TfjsCheckpointSource extends CheckpointParts {
  /** In the order in which the model has its trainable weights, which is the one that TF.js assigns moments by. */
  readonly parameters: Readonly<Record<string, ParameterValues>>;
  /** The model's other weights, such as those that `readTfjs` found. */
  readonly otherTensors?: Readonly<Record<string, ParameterValues>> | undefined;
}

/**
 * A model and its optimizer as the artifacts of TF.js: `tf.loadLayersModel(tf.io.fromMemory(artifacts))` goes on with TF.js's
 * own optimizer.
 *
 * @param template artifacts of the same model, with its topology, loss and metrics: saved with `includeOptimizer: true`.
 * @throws {GradstepError} `UNSUPPORTED` (what TF.js cannot do, all of it), `STATE_MISMATCH` (a configuration and a state that
 * do not belong together), `INVALID_PARAMETER`, `LENGTH_MISMATCH` (of other tensors)
 */
export async function writeTfjs(
  source: TfjsCheckpointSource,
  template: io.ModelArtifacts,
): Promise<io.ModelArtifacts> {
  checkCheckpointParts("writeTfjs", source);
  const { config, state, parameters, otherTensors = {} } = source;
  const target = toTfjs(config);
  const order = Object.entries(parameters).map(([name, { shape }]) => [name, shape] as const);
  const weights = tfjsWeights(state, target, order);
  const tensors = Object.entries({ ...parameters, ...otherTensors }).map(
    ([name, { shape, values }]) => {
      const size = shape.reduce((product, length) => product * length, 1);
      if (values.length !== size)
        throw new GradstepError(
          `"${name}" has ${values.length} values; expected ${size}, because its shape is [${shape.join(", ")}].`,
          { code: "LENGTH_MISMATCH" },
        );
      return { name, tensor: lazyTensor(Float32Array.from(values), shape, "float32") };
    },
  );
  const { data: weightData, specs: weightSpecs } = await io.encodeWeights(tensors);
  const model = { ...template, weightData, weightSpecs };
  const { className } = kinds[target.name as TfjsName];
  return withOptimizer(model, className, { ...target.options }, weights);
}
