export * from "../generated/index.js";
export {
  createOptimizer,
  type LeanBackend,
  type LeanOptimizer,
  type LeanTensor,
} from "./optimizer.js";
export type {
  CompiledRule,
  CompiledVariant,
  LeanRule,
  LeanSpec,
  LeanVariant,
  PerStep,
} from "./rule.js";
