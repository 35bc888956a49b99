import { GradstepError, list } from "../errors.js";
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
  const { name, reads, updated } = factory.stage;
  if (updated !== "u" && reads.slots !== undefined) {
    throw new GradstepError(
      `Stage ${name}: assigns ${updated} and reads slots of the rule (${list(reads.slots)}), which only a stage on u can do.`,
      { code: "INVALID_RULE" },
    );
  }
  // Checks the texts, before all variants compare theirs as JSON.
  factory.stage.variant();
  factory.stage.variants();
  for (const stage of [factory, factory.stage]) Object.assign(stage, { isOwn: true });
  return factory;
}
