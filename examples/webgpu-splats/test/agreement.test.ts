import { expect, test } from "vitest";
import { agreementOf } from "../src/agreement.js";

test.each([
  // 0.2 is within the noise of single runs; a mean of 0.2 that is always the same is not.
  [[0.2], true],
  [[-0.6], false],
  [[0.2, 0.2, 0.2, 0.2], false],
  [[-0.2, -0.2, -0.2, -0.2], false],
  [[0.05, 0.09, 0.07, 0.1], true],
  // The mean is 0.2 with a standard error of √(0.18 / 2) = 0.3.
  [[0.5, -0.1], true],
  // The mean is 0.15 with a standard error of 0.0577, times 3.18.
  [[0.05, 0.25, 0.05, 0.25], true],
  [[0.15, 0.25, 0.15, 0.25], false],
])("differences of %j dB agree: %s", (differences, expected) => {
  expect(agreementOf(differences, "adaptive").agrees).toBe(expected);
});

test("the text has the mean and its interval", () => {
  const { text } = agreementOf([-0.5, 0.1], "adaptive");
  expect(text).toContain("lower by 0.200 dB, with a 95 % interval of ±3.813 dB");
});
