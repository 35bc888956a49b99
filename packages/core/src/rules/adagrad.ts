import { nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";

/**
 * AdaGrad: Duchi, Hazan & Singer 2011, the diagonal form.
 *
 * `epsilonMode`: `"inside"` divides by √(a + ε), as Keras does; `"outside"` divides by √a + ε, as PyTorch does.
 * The rate of step t is learningRate / (1 + (t − 1)·learningRateDecay).
 */
export const adagrad = /* @__PURE__ */ builtInRule({
  name: "adagrad",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    initialAccumulatorValue: nonNegative(0.1),
    epsilon: nonNegative(1e-7),
    learningRateDecay: nonNegative(0),
  },
  options: { epsilonMode: ["inside", "outside"] },
  slots: { a: "initialAccumulatorValue" },
  perStep: "rate = learningRate / (1 + (t - 1) * learningRateDecay)",
  perElement: ({ epsilonMode }) => `
    a = a + g * g
    u = g * rate / ${epsilonMode === "inside" ? "sqrt(a + epsilon)" : "(sqrt(a) + epsilon)"}
  `,
});
