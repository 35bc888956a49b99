import type { Mutant } from "../mutant.js";
import { ruleMutant } from "./mutate-rule.js";

/** What people get wrong in the other rules. */
export const otherRuleMutants: readonly Mutant[] = [
  ruleMutant("momentum on the new gradient, too", "sgd", {
    element: [["m * momentum + g * intake", "(m + g * intake) * momentum"]],
  }),
  ruleMutant("dampening in the first step", "sgd", {
    step: [["t == 1 ? 1 : 1 - dampening", "1 - dampening"]],
  }),
  ruleMutant("no dampening", "sgd", { step: [["1 - dampening", "1 - dampening * 0"]] }),
  ruleMutant("PyTorch's rate for Keras's", "sgd", {
    step: [
      ["intake = learningRate", "intake = 1"],
      [/rateM = 1$/m, "rateM = learningRate"],
    ],
  }),
  ruleMutant("Nesterov with the old velocity", "sgd", {
    element: [
      ["m = m * momentum", "old = m; m = m * momentum"],
      ["(m * rateM", "(old * rateM"],
    ],
  }),
  ruleMutant("Nesterov without the gradient", "sgd", {
    element: [["+ g * rateG", "+ g * rateG * 0"]],
  }),
  ruleMutant("Nesterov without momentum on the velocity", "sgd", {
    step: [["rateM = momentum * 1", "rateM = 1 + momentum * 0"]],
  }),
  ruleMutant("accumulator that decays", "adagrad", {
    element: [["a = a + g * g", "a = a * 0.9 + g * g"]],
  }),
  ruleMutant("no root", "adagrad", { element: [["sqrt(a + epsilon)", "(a + epsilon)"]] }),
  ruleMutant("epsilon outside of the root", "adagrad", {
    element: [["sqrt(a + epsilon)", "(sqrt(a) + epsilon)"]],
  }),
  ruleMutant("rate decays a step too early", "adagrad", { step: [["(t - 1)", "t"]] }),
  ruleMutant("accumulator starts at 0", "adagrad", {
    slots: { a: 0 },
    step: [["rate =", "rate = initialAccumulatorValue * 0 +"]],
  }),
  ruleMutant("centered without the square", "rmsprop", { element: [["v - a * a", "v - a"]] }),
  ruleMutant("centered on the mean before", "rmsprop", {
    element: [
      ["a = a + (g - a) * c", "old = a; a = a + (g - a) * c"],
      ["v - a * a", "v - old * old"],
    ],
  }),
  ruleMutant("ρ and 1 − ρ swapped", "rmsprop", { step: [["c = 1 - rho", "c = rho"]] }),
  ruleMutant("epsilon outside of the root", "rmsprop", {
    element: [["sqrt(v + epsilon)", "(sqrt(v) + epsilon)"]],
  }),
  ruleMutant("epsilon inside of the root", "rmsprop", {
    element: [["(sqrt(v) + epsilon)", "sqrt(v + epsilon)"]],
  }),
  ruleMutant("PyTorch's rate for Keras's", "rmsprop", {
    step: [["intake = learningRate; rate = 1", "intake = 1; rate = learningRate"]],
  }),
  ruleMutant("momentum without decay", "rmsprop", {
    element: [["m * momentum +", "m + momentum * 0 +"]],
  }),
  ruleMutant("norm that does not decay", "adamax", {
    element: [["norm * beta2", "norm * (1 + beta2 * 0)"]],
  }),
  ruleMutant("sum in place of the maximum", "adamax", {
    element: [["max(norm * beta2, abs(g))", "(norm * beta2 + abs(g))"]],
  }),
  ruleMutant("norm of the signed gradient", "adamax", { element: [["abs(g)", "g"]] }),
  ruleMutant("no correction", "adamax", { step: [[" / (1 - beta1 ** t)", ""]] }),
  ruleMutant("correction with β₂", "adamax", { step: [["beta1 ** t", "beta2 ** t"]] }),
  ruleMutant("momenta of this step and the next swapped", "nadam", {
    step: [["mu = beta1 * (1 - 0.5 * 0.96 ** (t *", "mu = beta1 * (1 - 0.5 * 0.96 ** ((t + 2) *"]],
  }),
  ruleMutant("schedule of 0.95", "nadam", { step: [["0.96", "0.95"]] }),
  ruleMutant("product of this step alone", "nadam", {
    step: [["product = product * mu", "product = product * 0 + mu"]],
  }),
  ruleMutant("correction without the next momentum", "nadam", {
    step: [["(1 - product * muNext)", "(1 - product)"]],
  }),
  ruleMutant("β₁ for the scheduled momentum", "nadam", {
    step: [["(1 - mu)", "(1 - beta1 + mu * 0)"]],
  }),
  ruleMutant("momentum updated first", "lion", {
    element: [
      [/(u = sign\(m \+ \(g - m\) \* c1\) \* learningRate)\s+(m = m \+ \(g - m\) \* c2)/, "$2; $1"],
    ],
  }),
  ruleMutant("β₁ and β₂ swapped", "lion", {
    element: [
      ["c1", "c3"],
      ["c2", "c1"],
      ["c3", "c2"],
    ],
  }),
  ruleMutant("no sign", "lion", { element: [["sign(m + (g - m) * c1)", "(m + (g - m) * c1)"]] }),
  ruleMutant("sign of the momentum alone", "lion", {
    element: [["sign(m + (g - m) * c1)", "sign(m + (g - m) * c1 * 0)"]],
  }),
];
