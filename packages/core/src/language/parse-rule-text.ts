import { GradstepError, show } from "../errors.js";
import type { Assignment } from "./expression.js";
import { parse } from "./parse.js";
import { explained } from "./syntax-errors.js";

/**
 * The statements of a rule's text in their order, for programs that print or analyze rules. Names are not resolved.
 * @throws {GradstepError} `RULE_SYNTAX`, `INVALID_RULE` for a value that is not text
 */
export function parseRuleText(text: string): readonly Assignment[] {
  if (typeof text !== "string")
    throw new GradstepError(
      `parseRuleText: got ${show(text)}; expected text, such as "u = learningRate * g".`,
      { code: "INVALID_RULE" },
    );
  return explained(() => parse(text));
}
