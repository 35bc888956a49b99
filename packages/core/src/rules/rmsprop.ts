import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import {
  averageForms,
  averageOfSquares,
  squareFactors,
} from "../rule-fragments/average-of-squares.js";
import { builtInRule } from "../rule/built-in-rule.js";
import {
  negligibleMagnitude,
  negligibleMean,
  negligibleSquare,
  flushStatement,
  flushThreshold,
} from "../rule-fragments/flush-to-zero.js";

/**
 * RMSprop: Tieleman & Hinton 2012 (lecture 6e); `centered` subtracts the square of the mean (Graves 2013, eq. 38 to 41).
 *
 * `epsilonMode`: `"inside"` adds ε under the root, as Keras does; `"outside"` adds it to the root, as PyTorch does;
 * `"subtracted"` subtracts it under the root, as TF.js does when centered. `momentumForm` is as in `sgd`, `averageForm`
 * as in `adam`; `fromKeras` selects `"sum-of-squares"`, which Keras uses here.
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
    averageForm: averageForms,
  },
  structural: ["momentum"],
  slots: ({ centered, momentum }) => ({
    v: 0,
    ...(centered ? { a: 0 } : {}),
    ...(momentum ? { m: 0 } : {}),
  }),
  perStep: ({ centered, momentum, momentumForm, averageForm }) => `
    c = 1 - rho
    ${squareFactors(averageForm, "c")}
    ${flushThreshold("v", negligibleSquare)}
    ${centered ? flushThreshold("a", negligibleMagnitude) : ""}
    ${momentum ? flushThreshold("m", negligibleMean) : ""}
    ${!momentum ? "" : momentumForm === "keras" ? "intake = learningRate; rate = 1" : "intake = 1; rate = learningRate"}
  `,
  perElement: ({ centered, momentum, epsilonMode, averageForm }) => {
    // Where a² overflows, v is infinite as well: ∞ − ∞ would be NaN.
    const difference =
      averageForm === "difference" ? "v - a * a" : `(abs(a) < ${2 ** 64} ? v - a * a : v)`;
    const variance = centered ? difference : "v";
    const root = {
      inside: `sqrt(${variance} + epsilon)`,
      outside: `(sqrt(${variance}) + epsilon)`,
      subtracted: `sqrt(${variance} - epsilon)`,
    }[epsilonMode];
    return `
      ${flushStatement("v")}
      ${averageOfSquares(averageForm, "rho", "c")}
      ${centered ? `${flushStatement("a")}\na = a + (g - a) * c` : ""}
      ${momentum ? `${flushStatement("m")}\nm = m * momentum + g * intake / ${root}` : ""}
      u = ${momentum ? "m * rate" : `g * learningRate / ${root}`}
    `;
  },
});
