export * from "./generated/index.js";
export type { CompiledRuleFactory } from "./rule/compiled-rule.js";
