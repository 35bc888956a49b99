import descriptions from "../generated/setting-descriptions.json" with { type: "json" };

/** What a page says of a hyperparameter. */
export interface Meaning {
  /** How papers and the reference write it: `β₁`. */
  readonly symbol?: string;
  /** One sentence. */
  readonly text: string;
}

/** How papers write hyperparameters; one that is not here is called by its name. */
const symbols: Readonly<Record<string, string>> = {
  agcClipping: "λ",
  agcEpsilon: "ε",
  alpha: "α",
  beta: "β",
  beta1: "β₁",
  beta2: "β₂",
  beta2Decay: "δ",
  beta3: "β₃",
  cautiousWeightDecay: "λ",
  clipThreshold: "d",
  d0: "d₀",
  dampening: "τ",
  decoupledWeightDecay: "λ",
  emaMomentum: "β",
  epsilon: "ε",
  epsilon1: "ε₁",
  epsilon2: "ε₂",
  epsilonRoot: "ε̄",
  l1RegularizationStrength: "λ₁",
  l2RegularizationStrength: "λ₂",
  learningRate: "η",
  lookaheadStepSize: "α",
  lookaheadSteps: "k",
  momentum: "μ",
  muonA: "a",
  muonB: "b",
  muonC: "c",
  rho: "ρ",
  trustCoefficient: "κ",
  trustRatioCoefficient: "κ",
  trustRatioEpsilon: "ε",
  weightDecay: "λ",
};

/** Where a rule gives a name another meaning. */
const ofRules: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  adabelief: {
    beta2:
      "How much of the mean of (g − m)² is kept per step: it measures how far gradients are from their mean.",
  },
  adadelta: {
    learningRate: "A factor on the update, whose size Adadelta finds by itself. The paper has 1.",
  },
  adagrad: {
    epsilon: "Added to the sum of squares, so that nothing is divided by 0.",
  },
  adamax: {
    beta2: "How much of the largest gradient so far is kept per step.",
  },
  adan: {
    beta2: "How much of the mean of the differences between gradients is kept per step.",
    beta3: "How much of the mean of squares is kept per step.",
  },
  ademamix: {
    beta3: "How much of the slow mean of the gradients is kept per step.",
  },
  lion: {
    beta1:
      "The weight of the mean against the new gradient in the vote for the sign of the update.",
    beta2: "How much of the mean of the gradients is kept per step.",
    learningRate: "The size of the steps: every element moves by exactly this much.",
  },
  muon: {
    beta2:
      "How much of the mean of squares per row or column is kept per step, with secondMoments.",
  },
  prodigy: {
    beta3: "How much of the estimate of the distance is kept per step; 0 for √β₂.",
    learningRate: "A factor on the rate that Prodigy finds by itself; 1 as a rule.",
  },
};

/** Core's sentence on a hyperparameter or an option. */
function descriptionOf(name: string): string | undefined {
  return Object.hasOwn(descriptions, name)
    ? descriptions[name as keyof typeof descriptions]
    : undefined;
}

/**
 * What a hyperparameter of a rule or a stage means; undefined for one that is not built in.
 * @param rule the name of the rule, since some give a name a meaning of their own
 */
export function meaningOf(name: string, rule?: string): Meaning | undefined {
  const text = (rule === undefined ? undefined : ofRules[rule]?.[name]) ?? descriptionOf(name);
  if (text === undefined) return undefined;
  return Object.hasOwn(symbols, name) ? { symbol: symbols[name], text } : { text };
}

/** What an option of a rule or a stage means, as a sentence; undefined for one that is not built in. */
export function optionMeaningOf(name: string): string | undefined {
  return descriptionOf(name);
}
