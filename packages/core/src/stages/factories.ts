export { clipByGlobalNorm } from "./clip-by-global-norm.js";
export { ema } from "./ema.js";
