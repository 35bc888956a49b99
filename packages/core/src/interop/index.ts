export { fromKeras, type KerasOptimizer, type KerasOptions } from "./keras.js";
export type { KerasConstraint } from "./keras-stages.js";
export { fromTorch } from "./torch.js";
export { fromOptax } from "./optax.js";
export { fromTfjs } from "./tfjs.js";
