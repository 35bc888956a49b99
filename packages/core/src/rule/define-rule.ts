import { buildVariant, checkSlotsAreUsed } from "./build-variant.js";
import { checkDefinition } from "./definition-checks.js";
import type { OptionTable } from "./options.js";
import { makeFactory, type RuleDefinition, type RuleFactory } from "./rule-factory.js";
import type { Variant, VariantTexts } from "./variant.js";

/**
 * Defines an optimizer rule from a few lines of mathematics.
 *
 * Statements that all rules share come first, in Keras's order: `maximize` and L2 decay change the gradient, decoupled
 * decay (p ← p·(1 − learningRate·weightDecay)) changes the parameter. Then the rule's own follow. Everything is a single
 * pass over memory.
 *
 * @throws {GradstepError} `RULE_SYNTAX` (points at the column), `INVALID_RULE`, `INVALID_HYPERPARAMETER` (a default
 * outside its range). Every variant is checked at once.
 */
export function defineRule<
  const H extends string,
  const O extends OptionTable = Record<never, never>,
  const S extends H = never,
>(definition: RuleDefinition<H, O, S>): RuleFactory<H, O> {
  checkDefinition(definition);
  const build = (texts: VariantTexts): Variant => {
    const variant = buildVariant(texts);
    checkSlotsAreUsed(texts);
    return variant;
  };
  const factory = makeFactory(definition, build, defineRule<H, O, S>);
  // Checks the texts, before all variants compare theirs as JSON.
  factory.rule.variant();
  factory.rule.variants();
  for (const rule of [factory, factory.rule]) Object.assign(rule, { isOwn: true });
  return factory;
}
