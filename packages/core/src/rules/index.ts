import * as factories from "./factories.js";
import * as reducingFactories from "./reducing-factories.js";
import type { Rule } from "../rule/rule.js";

/** The built-in rules that all backends run: they generate code for them, and the conformance suite runs them. */
export const rules: readonly Rule[] = Object.values(factories).map(({ rule }) => rule);

/** All built-in rules. */
export const allRules: readonly Rule[] = [
  ...rules,
  ...Object.values(reducingFactories).map(({ rule }) => rule),
];
