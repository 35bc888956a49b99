import { decayRate, defineRule, nonNegative, type Rule } from "@gradstep/core";

/** A rule with a learning rate and a `rate` of decay. */
export function reducingRule(perElement: string, rest: object = {}): Rule {
  return defineRule({
    name: "reducing",
    hyperparameters: { learningRate: nonNegative(0.1), rate: decayRate(0.25) },
    perElement,
    ...rest,
  }).rule;
}

const row = { extent: "row", initial: 0 } as const;
const column = { extent: "column", initial: 0.5 } as const;
const tensor = { extent: "tensor", initial: 1 } as const;
const all = { extent: "all", initial: 2 } as const;

const texts: Readonly<Record<string, readonly [text: string, rest?: object]>> = {
  "a sum per row": ["u = g * sumRow(g * p)"],
  "a sum per column": ["u = g * sumColumn(g * p)"],
  "a sum per tensor": ["u = g * sumTensor(g * p)"],
  "a sum over all tensors": ["u = g * sumAll(g * p)"],
  "all norms": ["u = g / (1 + normRow(g) * normColumn(p) + normTensor(g - p) * normAll(g))"],
  "all means": ["u = meanRow(g) * meanColumn(g) + g * meanTensor(p) + p * meanAll(g)"],
  "all maxima": ["u = maxRow(g) - maxColumn(p) + g * maxTensor(-g) + p * maxAll(g)"],
  "reductions of reductions": [
    `a = meanRow(g * g)
     b = maxTensor(a)
     c = sumAll(b)
     d = meanAll(a)
     u = g * b / (c + d + sumTensor(maxColumn(g)) + maxAll(sumRow(g)))`,
  ],
  "one reduction after the other": [
    "x = g / (1 + normTensor(g))\nx = x - meanRow(x)\nx = x - meanColumn(x)\nu = x * normAll(x)",
  ],
  "a sum per tensor of what has rows": [
    "x = g * sumRow(g) + sumColumn(p)\nu = g * sumTensor(x * x) + maxTensor(x * 2)",
  ],
  "counts of rows and columns": ["u = g * rows / columns + meanTensor(sumRow(g)) + meanAll(g)"],
  "slots of all extents": [
    `m = m + (g - m) * rate
     r = r + (meanRow(g * g) - r) * rate
     c = c + (meanColumn(g * g) - c) * rate
     s = s * rate + normTensor(p)
     d = d * rate + sumAll(g * p)
     u = m * s / (1 + sqrt(r / meanTensor(r) * c) + d * d)`,
    { slots: { m: "p", r: row, c: column, s: tensor, d: all } },
  ],
  "slots of rows and columns that no reduction fills": [
    "r = r + rate\nc = c * 0.5 + rate\nu = g * r * c",
    { slots: { r: row, c: column } },
  ],
  "values of rows in a loop over columns": [
    "r = sqrt(meanRow(g * g)) + 1\nw = r < 1.5 ? r * 2 : flush(r)\nu = g / w * sign(w) + (r < rate ? g : w)",
  ],
  "a slot that is flushed": [
    "m = abs(m) < limit ? 0 : m\nm = m + (g - m) * rate\nu = m * normTensor(m) + maxRow(m)",
    { slots: { m: 0 }, perStep: "limit = t == 2 ? 0.3 : 0" },
  ],
  "matrices of the last two dimensions": [
    `r = r + (meanRow(g * g) - r) * rate
     c = c + (meanColumn(g * g) - c) * rate
     u = g / sqrt(r / meanColumn(r + 0 * g) * c + 1) * maxRow(c * g)`,
    { slots: { r: row, c: column }, matrices: "last" },
  ],
  "Newton–Schulz iterations": [
    `x = g / (normTensor(g) + 1e-7)
     x = newtonSchulz(x, 3.4445, -4.775, 2.0315)
     x = newtonSchulz(x, rate, -0.5, 0.125)
     u = x * learningRate`,
    { matrices: "last" },
  ],
};

/** Rules each of which reduces in another way, with what is special about it. */
export const reducingRules = Object.entries(texts).map(
  ([name, [text, rest]]) => [name, reducingRule(text, rest)] as const,
);
