import type { Assignment } from "./expression.js";
import { parse } from "./parse.js";
import { explained } from "./syntax-errors.js";

/**
 * The statements of a rule's text in their order, for programs that print or analyze rules. Names are not resolved.
 * @throws {GradstepError} `RULE_SYNTAX`
 */
export function parseRuleText(text: string): readonly Assignment[] {
  return explained(() => parse(text));
}
