import { GradstepError, hasNames, show } from "@gradstep/core";
import { toTfjs } from "@gradstep/core/interop";
import { io } from "@tensorflow/tfjs-core";
import { GradstepOptimizer, implementation } from "../gradstep-optimizer.js";
import { kinds, type TfjsName } from "../tfjs-optimizers/kinds.js";
import { decodeArtifacts, joined, withOptimizer } from "./artifacts.js";
import { continueFrom, specOfSaved, tfjsNameOf } from "./saved-optimizer.js";
import { tfjsWeights } from "./tfjs-weights.js";

/**
 * Saves models in the form of plain TF.js, and loads what plain TF.js saved, with gradstep's optimizer:
 * `model.save(tfjsFormat("indexeddb://model"), { includeOptimizer: true })`, `tf.loadLayersModel(tfjsFormat(handler))`.
 *
 * Saving converts an optimizer of gradstep to TF.js's own with its moments, and rejects with `UNSUPPORTED` if TF.js has
 * none that does the same. Loading checks the weights of TF.js's own optimizer, and rejects with `INVALID_FILE` if they do
 * not belong together.
 *
 * @param handler or URL, as `model.save` and `tf.loadLayersModel` take them.
 */
export function tfjsFormat(handler: string | io.IOHandler): io.IOHandler {
  return {
    async save(artifacts) {
      const { save } = handlerOf(handler, "save");
      return save!(await toTfjsArtifacts(artifacts));
    },
    async load() {
      const { load } = handlerOf(handler, "load");
      return fromTfjsArtifacts(await load!());
    },
  };
}

async function toTfjsArtifacts(artifacts: io.ModelArtifacts): Promise<io.ModelArtifacts> {
  const { modelWeights, optimizer: saved } = await decodeArtifacts(artifacts);
  if (saved === undefined || tfjsNameOf(saved.className) !== undefined) return artifacts;
  const optimizer = continueFrom(saved);
  try {
    const target = toTfjs(optimizer[implementation].core.config());
    const order = modelWeights.map(({ name, shape }) => [name, shape] as const);
    const weights = tfjsWeights(await optimizer.state(), target, order);
    const { className } = kinds[target.name as TfjsName];
    return await withOptimizer(artifacts, className, { ...target.options }, weights);
  } finally {
    optimizer.dispose();
  }
}

async function fromTfjsArtifacts(artifacts: io.ModelArtifacts): Promise<io.ModelArtifacts> {
  // Anything else is refused when it is decoded.
  if (hasNames(artifacts) && artifacts.weightData === undefined) return artifacts;
  const { optimizer: saved } = await decodeArtifacts(artifacts);
  if (saved === undefined || tfjsNameOf(saved.className) === undefined) return artifacts;
  if (saved.weights.length > 0) continueFrom(saved).dispose();
  const optimizer = new GradstepOptimizer(specOfSaved(saved));
  const config = optimizer.getConfig();
  optimizer.dispose();
  return {
    ...artifacts,
    weightData: joined(artifacts.weightData!),
    trainingConfig: {
      ...artifacts.trainingConfig!,
      optimizer_config: { class_name: GradstepOptimizer.className, config },
    },
  };
}

function handlerOf(handler: string | io.IOHandler, method: "save" | "load"): io.IOHandler {
  const found =
    typeof handler !== "string"
      ? [handler]
      : method === "save"
        ? io.getSaveHandlers(handler)
        : io.getLoadHandlers(handler);
  const [first] = found;
  if (found.length === 1 && typeof first?.[method] === "function")
    // Methods of classes need their `this`.
    return { [method]: first[method].bind(first) as never };
  throw new GradstepError(
    `tfjsFormat: ${show(handler)} has ${found.length === 1 ? `no ${method}()` : `${found.length} handlers`}; expected a handler with ${method}(), or a URL that TF.js has one handler for.`,
    { code: "UNSUPPORTED" },
  );
}
