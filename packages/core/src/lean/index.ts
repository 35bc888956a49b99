export * from "../generated/index.js";
export type { LeanBackend, LeanTensor } from "./backend.js";
export { createOptimizer, type LeanOptimizer } from "./create-optimizer.js";
export type {
  CompiledRule,
  CompiledVariant,
  LeanRule,
  LeanSpec,
  LeanVariant,
  PerStep,
} from "./rule.js";
