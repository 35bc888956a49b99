export { constant, joinSchedules, piecewiseConstant, warmup } from "./compositions.js";
export {
  cosineDecay,
  cosineDecayRestarts,
  type CosineDecayOptions,
  type CosineDecayRestartsOptions,
} from "./cosine-decays.js";
export {
  cyclical,
  oneCycle,
  warmupStableDecay,
  type CyclicalOptions,
  type OneCycleOptions,
  type WarmupStableDecayOptions,
} from "./cycles.js";
export {
  exponentialDecay,
  inverseTimeDecay,
  linear,
  polynomialDecay,
  type PolynomialDecayOptions,
  type StaircaseOptions,
} from "./decays.js";
