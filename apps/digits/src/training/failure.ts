import { classes } from "../data/digit-set.js";
import { lossText, percent } from "../format.js";
import type { Run } from "./run.js";

/** Why a training counts as failed. */
export interface Failure {
  readonly kind: "diverged" | "did not learn";
  /** What shows it, as the end of a sentence: "the loss of batch 3 is NaN". */
  readonly evidence: string;
  /** What to try, as a sentence. */
  readonly remedy: string;
}

/** Below this, an accuracy is at chance: twice that of guessing. */
const chanceAccuracy = 2 / classes;

/** With fewer batches, a poor network says nothing about the learning rate. */
const minBatches = 20;

/**
 * Decides whether a training failed. It diverged if a loss is not finite, if the loss has risen, or if it jumped and the
 * network is left guessing. It did not learn if the network guesses after a whole epoch without any of that.
 */
export function failureOf(run: Run): Failure | undefined {
  const { batchLosses, evaluation, history } = run;
  const batches = batchLosses.length;
  const badBatch = batchLosses.findIndex((loss) => !Number.isFinite(loss));
  if (badBatch >= 0) {
    return diverged(`the loss of batch ${badBatch + 1} is ${lossText(batchLosses[badBatch])}`);
  }
  if (batches > 0 && !Number.isFinite(evaluation.loss)) {
    return diverged(`the held-out loss is ${lossText(evaluation.loss)}`);
  }
  if (batches < minBatches) return undefined;
  const [first] = batchLosses;
  const recent = batchLosses.slice(-Math.ceil(batches / 10));
  const last = recent.reduce((sum, loss) => sum + loss, 0) / recent.length;
  const highest = batchLosses.reduce((max, loss) => Math.max(max, loss));
  const accuracy = `held-out accuracy is ${percent(evaluation.accuracy)}`;
  const isAtChance = evaluation.accuracy < chanceAccuracy;
  if (last > 1.1 * first) {
    return diverged(`the loss rose from ${lossText(first)} to ${lossText(last)}, and ${accuracy}`);
  }
  if (isAtChance && highest > 2 * first) {
    return diverged(
      `the loss jumped from ${lossText(first)} to ${lossText(highest)}, and ${accuracy}, no better than guessing`,
    );
  }
  if (isAtChance && history.length > 0) {
    return {
      kind: "did not learn",
      evidence: `${accuracy}, no better than guessing`,
      remedy: "Try another --learning-rate or more --epochs.",
    };
  }
  return undefined;
}

function diverged(evidence: string): Failure {
  return { kind: "diverged", evidence, remedy: "Try a lower --learning-rate." };
}

/** The failure as a sentence: "The training diverged: the loss of batch 3 is NaN." */
export function failureText({ kind, evidence }: Failure): string {
  return `The training ${kind}: ${evidence}.`;
}
