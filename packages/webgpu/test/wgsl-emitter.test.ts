import { defineRule, nonNegative } from "@gradstep/core";
import { expect, test } from "vitest";
import { emitDenseKernel } from "../src/shaders/dense-kernel.js";
import { variantKernelsOf } from "../src/shaders/variant-kernels.js";

/** The shader that updates elements by these lines. */
function shaderOf(perElement: string): string {
  const hyperparameters = { learningRate: nonNegative(1) };
  const { rule, options } = defineRule({ name: "test", hyperparameters, perElement })();
  const [pass] = variantKernelsOf(rule.variant(options)).passes;
  return pass.kind === "map" && pass.map !== undefined ? emitDenseKernel(pass.map) : "";
}

test("a negation of a negation is no decrement", () => {
  expect(shaderOf("p = p * -(-g)")).toContain("-(-g)");
});

test("numbers beyond f32 are the largest one, with the sign of a negation", () => {
  expect(shaderOf("p = p + 1e39")).toContain("Value(3.4028234663852886e+38)");
  expect(shaderOf("p = max(p, -1e39)")).toMatch(
    /let (t\d) = Value\(3.4028234663852886e\+38\);\s+let t\d = -\1;/,
  );
});
