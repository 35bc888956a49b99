import { speedupText } from "@gradstep/apps-shared/format";
import { backendTitles } from "../backend.js";
import type { BackendComparison } from "./compare.js";

/** "gradstep is 3.72× faster", or "slower" with the inverse; empty if one of the two made no step. */
export function speedupSentence({ speedup }: BackendComparison): string {
  if (speedup === undefined) return "";
  return speedup >= 1
    ? `gradstep is ${speedupText(speedup)} faster`
    : `gradstep is ${speedupText(1 / speedup)} slower`;
}

/** How far the losses of the two trainings are apart, on all backends on which both made a step. */
export function lossDifferenceSentence(backends: readonly BackendComparison[]): string {
  const differences = backends.flatMap(({ backend, lossDifference }) => {
    if (lossDifference === undefined) return [];
    const title = backendTitles[backend];
    return [
      Number.isFinite(lossDifference)
        ? `${lossDifference === 0 ? "0" : lossDifference.toExponential(1)} (${title})`
        : `a value that is not finite (${title})`,
    ];
  });
  if (differences.length === 0) return "";
  return `Largest difference between the losses of a step: ${differences.join(", ")}.`;
}
