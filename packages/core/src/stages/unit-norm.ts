import { builtInStage } from "../rule/built-in-stage.js";

/**
 * Gives each column, or each row, the norm 1 after each step: Keras's `UnitNorm`, in its form: divided by the norm plus
 * 1e-7, so that zeros stay zeros.
 *
 * `unitNormAxis: "column"` is Keras's `axis: 0`, `"row"` its `axis: 1`. A tensor with one dimension is one column.
 */
export const unitNorm = /* @__PURE__ */ builtInStage({
  name: "unit-norm",
  options: { unitNormAxis: ["column", "row"] },
  perElement: ({ unitNormAxis }) =>
    `p = p / (${unitNormAxis === "column" ? "normColumn" : "normRow"}(p) + 1e-7)`,
});
