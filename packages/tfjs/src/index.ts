import { serialization } from "@tensorflow/tfjs-core";
import { GradstepOptimizer } from "./optimizer.js";

// So that `loadLayersModel` finds the optimizer of a model that was saved with it.
serialization.registerClass(GradstepOptimizer);

export { GradstepOptimizer, tfOptimizer } from "./optimizer.js";
export type { TfOptimizer, TfOptimizerOptions } from "./optimizer.js";
export type { NamedTensor } from "./step/gradients.js";
export { adagrad, adam, adamax, adamw, lion, nadam, rmsprop, sgd } from "./factories.js";
export type { TfOptimizerFactory } from "./factories.js";
