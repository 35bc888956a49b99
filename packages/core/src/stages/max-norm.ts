import { builtInStage } from "../rule/built-in-stage.js";
import { fraction, nonNegative } from "../rule/hyperparameter.js";

/**
 * Limits the norm of each column, or of each row, after each step: Srivastava et al. 2014, Section 5.1. Keras's `MaxNorm`,
 * and with `minNorm` and `normRate`, the part of the way that a step takes to the range, its `MinMaxNorm`; in Keras's
 * form: scaled by the desired norm over the norm plus 1e-7.
 *
 * `maxNormAxis: "column"` is Keras's `axis: 0`, `"row"` its `axis: 1`. A tensor with one dimension is one column.
 */
export const maxNorm = /* @__PURE__ */ builtInStage({
  name: "max-norm",
  hyperparameters: { maxNorm: nonNegative(2), minNorm: nonNegative(0), normRate: fraction(1) },
  options: { maxNormAxis: ["column", "row"] },
  perStep: "kept = 1 - normRate",
  perElement: ({ maxNormAxis }) => `
    norm = ${maxNormAxis === "column" ? "normColumn" : "normRow"}(p)
    desired = min(max(norm, minNorm), maxNorm) * normRate + norm * kept
    p = p * (desired / (norm + 1e-7))
  `,
});
