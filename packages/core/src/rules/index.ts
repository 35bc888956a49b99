import * as factories from "./factories.js";
import type { Rule } from "../rule/rule.js";

/** All built-in rules: backends generate code for them, and the conformance suite runs them. */
export const rules: readonly Rule[] = Object.values(factories).map(({ rule }) => rule);
