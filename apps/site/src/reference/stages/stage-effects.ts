import { gradientEffects } from "./gradient-effects.js";
import { parameterEffects } from "./parameter-effects.js";
import type { StageEffect } from "./stage-effect.js";
import { updateEffects } from "./update-effects.js";

const effects: Readonly<Record<string, () => StageEffect>> = {
  ...gradientEffects,
  ...updateEffects,
  ...parameterEffects,
};

const computed = new Map<string, StageEffect>();

/** What a stage does, by its name. @throws for a stage without one, so that none is left out */
export function effectOf(stage: string): StageEffect {
  if (!Object.hasOwn(effects, stage)) throw new Error(`${stage} has no effect to draw; add one.`);
  const effect = computed.get(stage) ?? effects[stage]();
  computed.set(stage, effect);
  return effect;
}
