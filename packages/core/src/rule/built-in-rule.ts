import { elementLanguage, type Language } from "../language/language.js";
import type { OptionTable } from "./options.js";
import { makeFactory, type RuleDefinition, type RuleFactory } from "./rule-factory.js";
import { assembleVariant } from "./variant.js";

/**
 * As `defineRule`, for the rules of this package: nothing is checked here, since the tests check it, and no variant is
 * built before it is used. An application with built-in rules alone contains neither the checks nor their messages.
 *
 * @param language `tensorLanguage` for rules with operations on tensors, or with slots of other extents
 */
export function builtInRule<
  const H extends string,
  const O extends OptionTable = Record<never, never>,
  const S extends H = never,
>(definition: RuleDefinition<H, O, S>, language: Language = elementLanguage): RuleFactory<H, O> {
  return makeFactory(
    definition,
    (texts) => assembleVariant(texts, language),
    (extended) => builtInRule(extended, language),
  );
}
