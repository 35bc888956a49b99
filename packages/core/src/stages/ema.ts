import { builtInStage } from "../rule/built-in-stage.js";
import { decayRate, nonNegative } from "../rule/hyperparameter.js";

/**
 * An exponential moving average of the weights, kept in the slot `ema`: Polyak & Juditsky 1992, in Keras's form
 * (`use_ema`). The first step copies the weights; the average of a parameter that is added later begins with its values.
 *
 * `optimizer.swap()` exchanges the weights with their average, and back.
 * With `emaOverwrite` n above 0, every n-th step replaces the weights by their average (`ema_overwrite_frequency`).
 */
export const ema = /* @__PURE__ */ builtInStage({
  name: "ema",
  hyperparameters: { emaMomentum: decayRate(0.99), emaOverwrite: nonNegative(0) },
  slots: { ema: "p" },
  perStep: `
    decay = t == 1 ? 0 : emaMomentum
    weight = 1 - decay
    isOverwritten = emaOverwrite == 0 ? 0 : floor(t / emaOverwrite) * emaOverwrite == t ? 1 : 0
  `,
  perElement: `
    ema = ema * decay + p * weight
    p = isOverwritten == 1 ? ema : p
  `,
  evaluation: "p = ema",
});
