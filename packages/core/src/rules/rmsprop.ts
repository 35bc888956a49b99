import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/rule.js";
import {
  negligibleMagnitude,
  negligibleMean,
  negligibleSquare,
  flushStatement,
  flushThreshold,
} from "./flush.js";

/**
 * RMSprop: Tieleman & Hinton 2012 (lecture 6e); `centered` subtracts the square of the mean (Graves 2013, eq. 38 to 41).
 *
 * `epsilonMode`: `"inside"` the root, as Keras does; `"outside"` of it, as PyTorch does; `"subtracted"` inside with the
 * other sign, as TF.js does when centered. `momentumForm` is as in `sgd`.
 */
export const rmsprop = /* @__PURE__ */ builtInRule({
  name: "rmsprop",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    rho: decayRate(0.9),
    momentum: nonNegative(0),
    epsilon: nonNegative(1e-7),
  },
  options: {
    centered: [false, true],
    epsilonMode: ["inside", "outside", "subtracted"],
    momentumForm: ["keras", "torch"],
  },
  structural: ["momentum"],
  slots: ({ centered, momentum }) => ({
    v: 0,
    ...(centered ? { a: 0 } : {}),
    ...(momentum ? { m: 0 } : {}),
  }),
  perStep: ({ centered, momentum, momentumForm }) => `
    c = 1 - rho
    ${flushThreshold("v", negligibleSquare)}
    ${centered ? flushThreshold("a", negligibleMagnitude) : ""}
    ${momentum ? flushThreshold("m", negligibleMean) : ""}
    ${!momentum ? "" : momentumForm === "keras" ? "intake = learningRate; rate = 1" : "intake = 1; rate = learningRate"}
  `,
  perElement: ({ centered, momentum, epsilonMode }) => {
    const variance = centered ? "v - a * a" : "v";
    const root = {
      inside: `sqrt(${variance} + epsilon)`,
      outside: `(sqrt(${variance}) + epsilon)`,
      subtracted: `sqrt(${variance} - epsilon)`,
    }[epsilonMode];
    return `
      ${flushStatement("v")}
      v = v + (g * g - v) * c
      ${centered ? `${flushStatement("a")}\na = a + (g - a) * c` : ""}
      ${momentum ? `${flushStatement("m")}\nm = m * momentum + g * intake / ${root}` : ""}
      p = p - ${momentum ? "m * rate" : `g * learningRate / ${root}`}
    `;
  },
});
