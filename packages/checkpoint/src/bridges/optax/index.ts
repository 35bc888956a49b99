export { readOptax, type ReadOptaxOptions } from "./read-optax.js";
export type { OptaxOptimizer } from "./state-arrays.js";
export { writeOptax, type OptaxSource, type WriteOptaxOptions } from "./write-optax.js";
