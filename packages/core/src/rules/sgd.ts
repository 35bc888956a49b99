import { fraction, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import { negligibleMean, flushStatement, flushThreshold } from "../rule-fragments/flush-to-zero.js";

/**
 * Gradient descent, with momentum (Polyak 1964) or Nesterov momentum (in the form of Sutskever et al. 2013, which all
 * libraries compute).
 *
 * `momentumForm`: `"keras"` multiplies gradients by the rate before they enter the velocity, so that a new rate affects
 * only later gradients; `"torch"` multiplies the velocity, so that a new rate affects earlier gradients, too.
 * `dampening` applies to the second form, if momentum is not 0.
 */
export const sgd = /* @__PURE__ */ builtInRule({
  name: "sgd",
  hyperparameters: {
    learningRate: nonNegative(0.01),
    momentum: nonNegative(0),
    dampening: fraction(0),
  },
  options: { nesterov: [false, true], momentumForm: ["keras", "torch"] },
  structural: ["momentum"],
  slots: ({ momentum }) => (momentum ? { m: 0 } : {}),
  perStep: ({ momentum, nesterov, momentumForm }) => {
    if (!momentum) return "";
    const inside = momentumForm === "keras";
    const intake = inside
      ? "intake = learningRate"
      : "intake = momentum == 0 ? 1 : t == 1 ? 1 : 1 - dampening";
    const rate = inside ? "1" : "learningRate";
    const limit = flushThreshold("m", negligibleMean);
    return nesterov
      ? `${intake}
         ${limit}
         rateM = momentum * ${rate}
         rateG = learningRate`
      : `${intake}
         ${limit}
         rateM = ${rate}`;
  },
  perElement: ({ momentum, nesterov }) =>
    !momentum
      ? `u = g * learningRate`
      : `${flushStatement("m")}
         m = m * momentum + g * intake
         u = ${nesterov ? "(m * rateM + g * rateG)" : "m * rateM"}`,
});
