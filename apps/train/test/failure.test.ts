import { failureOf, failureText, type Run } from "@gradstep/digits";
import { describe, expect, test } from "vitest";
import { documentOf } from "../src/document.js";
import { divergedRun, sampleConfiguration, sampleRun } from "./support.js";

/** A run of 100 batches with those losses and that accuracy. */
function run(loss: (batch: number) => number, accuracy: number): Run {
  const sample = sampleRun();
  return {
    ...sample,
    batchLosses: Array.from({ length: 100 }, (_, batch) => loss(batch)),
    evaluation: { ...sample.evaluation, accuracy },
  };
}

const falling = (batch: number): number => 2.3 * 0.97 ** batch;

describe("a training", () => {
  test("that learned has no failure", () => {
    expect(failureOf(run(falling, 0.9))).toBeUndefined();
    expect(failureOf(sampleRun())).toBeUndefined();
  });

  test.each([
    ["has a loss that is NaN", divergedRun(), "the loss of batch 30 is NaN"],
    [
      "has a loss that is infinite",
      run((batch) => (batch === 4 ? Infinity : 1), 0.9),
      "the loss of batch 5 is Infinity",
    ],
    [
      "has weights that are not finite",
      {
        ...sampleRun(),
        evaluation: { ...sampleRun().evaluation, loss: Number.NaN },
      },
      "the held-out loss is NaN",
    ],
    [
      "has a rising loss",
      run((batch) => 2.3 + batch / 10, 0.3),
      "the loss rose from 2.3000 to 11.7500, and held-out accuracy is 30.00 %",
    ],
    [
      "jumped and guesses",
      run((batch) => (batch === 1 ? 40 : 2.3), 0.1),
      "the loss jumped from 2.3000 to 40.0000, and held-out accuracy is 10.00 %, no better than guessing",
    ],
  ])("diverged if it %s", (_, diverged, evidence) => {
    const failure = failureOf(diverged)!;
    expect(failure).toMatchObject({ kind: "diverged", evidence });
    expect(failureText(failure)).toBe(`The training diverged: ${evidence}.`);
    const document = documentOf(sampleConfiguration, diverged);
    expect(document).toMatchObject({ diverged: true, failure });
  });

  test("did not learn if it guesses after an epoch and the loss never moved", () => {
    const guessing = run(() => 2.3, 0.1);
    expect(failureOf(guessing)).toMatchObject({ kind: "did not learn" });
    expect(documentOf(sampleConfiguration, guessing).diverged).toBe(false);
  });

  test("is not judged before an epoch, nor after a few batches", () => {
    expect(failureOf({ ...run(() => 2.3, 0.1), history: [] })).toBeUndefined();
    expect(failureOf({ ...run(() => 2.3, 0.1), batchLosses: [2.3, 9] })).toBeUndefined();
    expect(failureOf({ ...run(falling, 0.1), batchLosses: [], history: [] })).toBeUndefined();
  });

  test("that jumped and recovered has no failure", () => {
    expect(failureOf(run((batch) => (batch === 1 ? 40 : falling(batch)), 0.9))).toBeUndefined();
  });
});
