export * from "./generated/index.js";
export type { CompiledRuleFactory } from "./compiled-rule.js";
