import { serialization } from "@tensorflow/tfjs-core";
import { GradstepOptimizer } from "./gradstep-optimizer.js";

// So that `loadLayersModel` finds the optimizer of a model that was saved with it.
serialization.registerClass(GradstepOptimizer);

export { GradstepOptimizer } from "./gradstep-optimizer.js";
export type { TfOptimizerOptions } from "./optimizer-options.js";
export { tfOptimizer, type TfOptimizer } from "./tf-optimizer.js";
export { averagedWeights, type AveragedWeights } from "./averaged-weights.js";
export type { TfOptimizerState } from "./state/optimizer-state.js";
export { tfParameters, type TfParameter } from "./tf-parameters.js";
export { fromTfjsOptimizer, toTfjsOptimizer } from "./bridge/live-optimizers.js";
export { readTfjs, type TfjsCheckpoint } from "./bridge/read-tfjs.js";
export { writeTfjs, type TfjsCheckpointSource } from "./bridge/write-tfjs.js";
export { tfjsFormat } from "./bridge/tfjs-format.js";
export type { NamedTensor } from "./step/gradients.js";
export {
  adabelief,
  adadelta,
  adafactor,
  adagrad,
  adam,
  adamax,
  adamw,
  adan,
  ademamix,
  adopt,
  ftrl,
  lamb,
  lars,
  lion,
  muon,
  nadam,
  prodigy,
  radam,
  rmsprop,
  scheduleFreeAdamw,
  scheduleFreeSgd,
  sgd,
  yogi,
} from "./factories.js";
export type { TfOptimizerFactory } from "./factories.js";
