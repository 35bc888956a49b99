import { averaging, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/rule.js";
import { negligibleMean, rest, restLimit } from "./rest.js";

/** Lion: Chen et al. 2023, Algorithm 2. */
export const lion = /* @__PURE__ */ builtInRule({
  name: "lion",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    beta1: averaging(0.9),
    beta2: averaging(0.99),
  },
  slots: { m: 0 },
  perStep: `
    c1 = 1 - beta1
    c2 = 1 - beta2
    ${restLimit("m", negligibleMean)}
  `,
  perElement: `
    ${rest("m")}
    p = p - sign(m + (g - m) * c1) * learningRate
    m = m + (g - m) * c2
  `,
});
