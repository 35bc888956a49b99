import { buildVariant, checkSlotsAreUsed } from "./build-variant.js";
import { checkDefinition } from "./definition-checks.js";
import type { OptionTable } from "./options.js";
import { makeStage, type StageDefinition, type StageFactory } from "./stage-factory.js";

/**
 * Defines a stage: a few lines of mathematics before or after a rule, for `chain`.
 *
 * @throws {GradstepError} `RULE_SYNTAX`, `INVALID_RULE`, `INVALID_HYPERPARAMETER`. Every variant is checked at once.
 */
export function defineStage<
  const H extends string = never,
  const O extends OptionTable = Record<never, never>,
>(definition: StageDefinition<H, O>): StageFactory<H, O> {
  checkDefinition(definition, true);
  const factory = makeStage(definition, (texts) => {
    const variant = buildVariant(texts);
    checkSlotsAreUsed(texts);
    return variant;
  });
  factory.stage.variants();
  return factory;
}
