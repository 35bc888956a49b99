import type { OptionTable } from "./options.js";
import { makeFactory, type RuleDefinition, type RuleFactory } from "./rule-factory.js";
import { assembleVariant } from "./variant.js";

/**
 * As `defineRule`, for the rules of this package: nothing is checked here, since the tests check it, and no variant is
 * built before it is used. An application with built-in rules alone contains neither the checks nor their messages.
 */
export function builtInRule<
  const H extends string,
  const O extends OptionTable = Record<never, never>,
  const S extends H = never,
>(definition: RuleDefinition<H, O, S>): RuleFactory<H, O> {
  return makeFactory(definition, assembleVariant, builtInRule<H, O, S>);
}
