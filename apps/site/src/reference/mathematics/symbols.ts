/** A name in mathematics: a letter or word, and what stands below it. */
export interface Symbol {
  readonly base: string;
  readonly subscript?: string;
}

const greek = new Set(
  [
    ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu"],
    ["nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"],
  ].flat(),
);

/** The names of the built-in rules and stages that papers write otherwise. */
const known: Readonly<Record<string, Symbol>> = {
  p: { base: "\\theta" },
  learningRate: { base: "\\eta" },
  weightDecay: { base: "\\lambda" },
  cautiousWeightDecay: { base: "\\lambda" },
  decoupledWeightDecay: { base: "\\lambda" },
  learningRateDecay: { base: "\\gamma" },
  momentum: { base: "\\mu" },
  momentumDecay: { base: "\\psi" },
  mu: { base: "\\mu", subscript: "t" },
  muNext: { base: "\\mu", subscript: "t+1" },
  dampening: { base: "\\tau" },
  initialAccumulatorValue: { base: "a", subscript: "0" },
  epsilonRoot: { base: "\\varepsilon", subscript: "\\mathrm{root}" },
  epsilonRootHat: { base: "\\hat{\\varepsilon}", subscript: "\\mathrm{root}" },
  trustCoefficient: { base: "\\kappa" },
  trustRatioCoefficient: { base: "\\kappa" },
  trustRatioEpsilon: { base: "\\varepsilon" },
  agcClipping: { base: "\\lambda" },
  agcEpsilon: { base: "\\varepsilon" },
  beta2Decay: { base: "\\delta" },
  clipThreshold: { base: "d" },
  l1RegularizationStrength: { base: "\\lambda", subscript: "1" },
  l2RegularizationStrength: { base: "\\lambda", subscript: "2" },
  l2ShrinkageRegularizationStrength: { base: "\\lambda", subscript: "\\mathrm{shrinkage}" },
  emaMomentum: { base: "\\beta", subscript: "\\mathrm{ema}" },
  lookaheadStepSize: { base: "\\alpha" },
  lookaheadSteps: { base: "k" },
  weightLearningRatePower: { base: "r" },
  nsSteps: { base: "N" },
  muonA: { base: "a" },
  muonB: { base: "b" },
  muonC: { base: "c" },
  rmsRate: { base: "\\rho" },
  rate: { base: "\\hat{\\eta}" },
  intake: { base: "\\omega" },
  difference: { base: "\\Delta" },
  product: { base: "\\Pi" },
  norm: { base: "n" },
  maxNorm: { base: "c", subscript: "\\max" },
  minNorm: { base: "c", subscript: "\\min" },
  minWeight: { base: "\\theta", subscript: "\\min" },
  maxWeight: { base: "\\theta", subscript: "\\max" },
  clipValue: { base: "c" },
  clipNorm: { base: "c" },
  globalClipNorm: { base: "c" },
  clipUpdateRms: { base: "d" },
  stableRms: { base: "d" },
  vMax: { base: "v", subscript: "\\max" },
  gBefore: { base: "g", subscript: "\\mathrm{before}" },
  p0: { base: "\\theta", subscript: "0" },
  share: { base: "c" },
  weight: { base: "w" },
  weightSum: { base: "W" },
  highestRate: { base: "\\eta", subscript: "\\max" },
  warmupSteps: { base: "T", subscript: "\\mathrm{warmup}" },
  decay3: { base: "\\hat{\\beta}", subscript: "3" },
  numerator: { base: "q" },
  globalNorm: { base: "n" },
  normRate: { base: "\\rho" },
  emaOverwrite: { base: "k" },
};

const parts: Readonly<Record<string, string>> = { max: "\\max", min: "\\min" };

/**
 * The symbol of a name of a rule. Every name has one: Greek letters by their names, digits and further words as
 * subscripts, `…Hat` with a hat, other words upright as they are.
 */
export function symbolOf(name: string): Symbol {
  if (Object.hasOwn(known, name)) return known[name];
  if (name.endsWith("Hat") && name.length > 3) {
    const { base, ...rest } = symbolOf(name.slice(0, -3));
    return { ...rest, base: `\\hat{${base}}` };
  }
  const [, first = "", rest = ""] = /^([A-Za-z][a-z]*)(.*)$/.exec(name) ?? [];
  const isLetter = first.length === 1 || greek.has(first);
  if (!isLetter) {
    const [, word, digits] = /^(.*?)(\d*)$/.exec(name)!;
    const base = `\\mathrm{${(word || name).replaceAll("_", "\\_")}}`;
    return word === "" || digits === "" ? { base } : { base, subscript: digits };
  }
  const subscript = wordsOf(rest).map(subscriptOf).join("\\,");
  const base = first === "epsilon" ? "\\varepsilon" : greek.has(first) ? `\\${first}` : first;
  return subscript === "" ? { base } : { base, subscript };
}

function wordsOf(name: string): string[] {
  return name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? [];
}

function subscriptOf(word: string): string {
  if (/^\d+$/.test(word)) return word;
  const lower = word.toLowerCase();
  if (Object.hasOwn(parts, lower)) return parts[lower];
  return lower.length === 1 ? lower : `\\mathrm{${lower}}`;
}

/** A symbol as LaTeX. @param index a further subscript, such as `t` */
export function printSymbol({ base, subscript }: Symbol, index?: string): string {
  const below = [subscript, index].filter((one) => one !== undefined).join(",");
  return below === "" ? base : `${base}_{${below}}`;
}
