export { fromKeras, type KerasOptimizer } from "./keras.js";
export { fromTorch } from "./torch.js";
export { fromOptax } from "./optax.js";
export { fromTfjs } from "./tfjs.js";
