import { tensorLanguage } from "../language/tensor-language.js";
import type { OptionTable } from "./options.js";
import { makeStage, type StageDefinition, type StageFactory } from "./stage-factory.js";
import { assembleVariant } from "./variant.js";

/** As `defineStage`, for the stages of this package, which its tests check. */
export function builtInStage<
  const H extends string = never,
  const O extends OptionTable = Record<never, never>,
>(definition: StageDefinition<H, O>): StageFactory<H, O> {
  return makeStage(definition, (texts) => assembleVariant(texts, tensorLanguage));
}
