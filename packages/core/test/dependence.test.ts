import { expect, test } from "vitest";
import { dependencesOn, type Dependence } from "../src/language/dependence.js";
import { buildProgram } from "../src/language/build-program.js";
import { elementArrays } from "./language.js";

/** How p depends on the scalar `rate` in a text. */
function dependenceIn(text: string): Dependence | undefined {
  const program = buildProgram([{ text: `p = ${text}` }], {
    arrays: elementArrays(["p", "g"]),
    scalars: ["rate", "other"],
    isOutput: (name) => name === "p",
    onHost: false,
  });
  return dependencesOn(program, "rate").get("p");
}

test.each<[text: string, dependence: Dependence]>([
  ["g * other - sqrt(g)", "none"],
  ["rate", "affine"],
  ["-rate", "affine"],
  ["g + rate", "affine"],
  ["rate - g", "affine"],
  ["g * rate", "affine"],
  ["(1 - g * rate) * p - rate", "affine"],
  ["rate / other", "affine"],
  ["g < 0 ? rate : p", "affine"],
  ["rate * rate", "other"],
  ["(g + rate) * rate", "other"],
  ["g / rate", "other"],
  ["rate / rate", "other"],
  ["rate < g ? p : g", "other"],
  ["sqrt(rate)", "other"],
  ["-abs(rate)", "other"],
  ["abs(rate) - abs(rate) + g", "other"],
])("%s: %s", (text, dependence) => {
  expect(dependenceIn(text)).toBe(dependence);
});
