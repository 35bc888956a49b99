import { builtInStage } from "../rule/built-in-stage.js";

/**
 * Gradient centralization: Yong et al. 2020: subtracts from the gradient of each output unit its mean.
 * Optax's `centralize` (with `row`).
 *
 * The weights of a unit are a column (TensorFlow's and JAX's layout of a dense layer) or a row (PyTorch's layout of all
 * layers), as `centralizeAxis` says. Tensors with a single column, such as biases, are left as they are.
 */
export const centralizeGradients = /* @__PURE__ */ builtInStage({
  name: "centralize-gradients",
  options: { centralizeAxis: ["column", "row"] },
  perElement: ({ centralizeAxis }) =>
    `g = columns == 1 ? g : g - ${centralizeAxis === "column" ? "meanColumn" : "meanRow"}(g)`,
});
