import { flushStatement, flushThreshold, negligibleMean } from "./flush-to-zero.js";

/** What NorMuon's second moments are of: a neuron is a row in PyTorch, a column in Keras and TF.js. */
type SecondMoments = "none" | "row" | "column";

/** The `perStep` statements for the second moments. */
export function secondMomentScalars(lines: SecondMoments): string {
  return lines === "none" ? "" : `${flushThreshold("v", negligibleMean)}\nweightV = 1 - beta2`;
}

/** The `perElement` statements that divide each row or column of x by the root of the average of its squares. */
export function normalizedNeurons(lines: SecondMoments): string {
  if (lines === "none") return "";
  return `
    ${flushStatement("v")}
    v = v + (${lines === "row" ? "meanRow" : "meanColumn"}(x * x) - v) * weightV
    y = x / (sqrt(v) + 1e-10)
    x = y * (normTensor(x) / (normTensor(y) + 1e-10))`;
}
