import { GradstepError } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { expect, test } from "vitest";
import { mutants } from "../src/mutants/all-mutants.js";
import { mutateRule } from "../src/mutants/rules/mutate-rule.js";
import { bfloat16, half, keepBits } from "../src/mutants/backends/narrow-rounding.js";

test("mutants have names of their own", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});

test("an edit that applies to nothing is refused", () => {
  const [rule] = rules;
  expect(() => mutateRule(rule, { element: [["no such text", ""]] })).toThrow(GradstepError);
});

test("narrow formats round as they should", () => {
  expect(bfloat16(1 + 2 ** -8)).toBe(1 + 2 ** -7);
  expect(bfloat16(1 + 2 ** -9)).toBe(1);
  expect(keepBits(1 + 2 ** -23, 22)).toBe(1 + 2 ** -22);
  expect(half(1e-9)).toBe(0);
  expect(half(70_000)).toBe(Infinity);
  expect(half(0.1)).toBe(0.0999755859375);
});
