import { fraction, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/rule.js";
import { negligibleMean, flushStatement, flushThreshold } from "../rule-fragments/flush-to-zero.js";

/**
 * Gradient descent, with momentum (Polyak 1964) or Nesterov's (in the form of Sutskever et al. 2013, as all libraries
 * compute it).
 *
 * `momentumForm: "keras"` has the rate inside the velocity, so that a change of the rate acts on what is to come;
 * `"torch"` has it outside, where it acts on the past, too. `dampening` belongs to the latter, where momentum is not 0.
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
      ? `p = p - g * learningRate`
      : `${flushStatement("m")}
         m = m * momentum + g * intake
         p = p - ${nesterov ? "(m * rateM + g * rateG)" : "m * rateM"}`,
});
