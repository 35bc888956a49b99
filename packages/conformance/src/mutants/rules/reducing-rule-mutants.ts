import type { Mutant } from "../mutant.js";
import { ruleMutant } from "./mutate-rule.js";

/** What people get wrong in rules with norms and means of whole tensors. */
export const reducingRuleMutants: readonly Mutant[] = [
  ruleMutant("ratio upside down", "lamb", {
    element: [
      ["(normR > 0 ? normP : 1) / (normR > 0 ? normR : 1)", "(normP > 0 ? normR : 1) / normP"],
    ],
  }),
  ruleMutant("norm of the parameter without its root", "lamb", {
    element: [["normTensor(p)", "sumTensor(p * p)"]],
  }),
  ruleMutant("norm of the update over all tensors", "lamb", {
    element: [["normTensor(r)", "normAll(r)"]],
  }),
  ruleMutant("norm of the gradient in place of the update", "lamb", {
    element: [["normTensor(r)", "normTensor(g)"]],
  }),
  ruleMutant("norms per row", "lamb", {
    element: [
      ["normTensor(p)", "normRow(p)"],
      ["normTensor(r)", "normRow(r)"],
    ],
  }),
  ruleMutant("ratio of root mean squares without the root", "lamb", {
    element: [["normTensor(r)", "meanTensor(r * r)"]],
  }),
  ruleMutant("ratio limited to 1", "lamb", {
    element: [["u = r * (ratio * learningRate)", "u = r * (min(ratio, 1) * learningRate)"]],
  }),
  ruleMutant("norm of the momentum", "lars", {
    element: [["normTensor(g)", "normTensor(m + 0 * g)"]],
  }),
  ruleMutant("norm of the largest value", "lars", {
    element: [["normTensor(p)", "maxTensor(abs(p))"]],
  }),
  ruleMutant("no trust coefficient", "lars", { element: [["normP * trustCoefficient", "normP"]] }),
  ruleMutant("momentum without the ratio", "lars", {
    element: [["m = m * momentum + x", "m = m * momentum + g * learningRate + 0 * x"]],
  }),
  ruleMutant("average per column with half of the mean", "adafactor", {
    element: [
      [
        "c = c * beta2 + meanColumn(square) * weight",
        "c = c * beta2 + 0.5 * meanColumn(square) * weight",
      ],
    ],
  }),
  ruleMutant("sums in place of means per row", "adafactor", {
    element: [["meanRow(square)", "sumRow(square)"]],
  }),
  ruleMutant("largest square per row", "adafactor", {
    element: [["meanRow(square)", "maxRow(square)"]],
  }),
  ruleMutant("rows without their mean", "adafactor", {
    element: [["sqrt(r / max(mean, least))", "sqrt(r + 0 * mean)"]],
  }),
  ruleMutant("mean of rows over the tensor's sum", "adafactor", {
    element: [["meanColumn(r + 0 * g)", "sumColumn(r + 0 * g)"]],
  }),
  ruleMutant("clipped below the threshold, too", "adafactor", {
    element: [
      [
        "max(1, sqrt(meanTensor(x * x)) / clipThreshold)",
        "sqrt(meanTensor(x * x)) / clipThreshold",
      ],
    ],
  }),
  ruleMutant("clipped by the mean over all tensors", "adafactor", {
    element: [["meanTensor(x * x)", "meanAll(x * x)"]],
  }),
  ruleMutant("rate by the norm of the parameter", "adafactor", {
    element: [["sqrt(meanTensor(p * p))", "normTensor(p)"]],
  }),
  ruleMutant("distance without magnitudes", "prodigy", {
    element: [["sumAll(abs(s))", "sumAll(s)"]],
  }),
  ruleMutant("distance from the parameter to the start", "prodigy", {
    element: [["(p0 - p)", "(p - p0)"]],
  }),
  ruleMutant("numerator of the largest value", "prodigy", {
    element: [["sumAll(g * (p0 - p))", "maxAll(g * (p0 - p))"]],
  }),
  ruleMutant("d may shrink", "prodigy", { element: [["d = max(d, ", "d = max(0 * d, "]] }),
  ruleMutant("metric of half the distance", "prodigy", {
    element: [["distance = d", "distance = d * 0.5"]],
  }),
  ruleMutant("divided by the largest value", "muon", {
    element: [["normTensor(x) * normFactor", "maxTensor(abs(x)) * normFactor"]],
  }),
  ruleMutant("divided by the norm of each row", "muon", {
    element: [["normTensor(x) * normFactor", "normRow(x) * normFactor"]],
  }),
  ruleMutant("one iteration without the fifth power", "muon", {
    element: [["newtonSchulz(x, a1, b1, c1)", "newtonSchulz(x, a1, b1, b1)"]],
  }),
  ruleMutant("one iteration fewer", "muon", { element: [["x = newtonSchulz(x, a0, b0, c0)", ""]] }),
  ruleMutant("scaled by the smaller side", "muon", {
    element: [["max(rows, columns)", "min(rows, columns)"]],
  }),
];
