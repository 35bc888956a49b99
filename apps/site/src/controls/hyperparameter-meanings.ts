/** What a page says of a hyperparameter. */
export interface Meaning {
  /** How papers write it: `β₁`. */
  readonly symbol?: string;
  /** One sentence. */
  readonly text: string;
}

const hyperparameters: Readonly<Record<string, Meaning>> = {
  agcClipping: {
    symbol: "λ",
    text: "The largest norm of a unit's gradient, as a multiple of the norm of its weights.",
  },
  agcEpsilon: {
    symbol: "ε",
    text: "Norms of weights below this count as this, so that units that are 0 can learn.",
  },
  alpha: { symbol: "α", text: "The weight of the slow mean of the gradients in the update." },
  beta: { symbol: "β", text: "Added to √n in the rate of each element." },
  beta1: {
    symbol: "β₁",
    text: "How much of the mean of the gradients is kept per step: about 1 / (1 − β₁) gradients count. More smooths noise and builds up momentum.",
  },
  beta2: {
    symbol: "β₂",
    text: "How much of the mean of the squared gradients is kept per step: about 1 / (1 − β₂) squares count. It sets how long a large gradient keeps the steps small.",
  },
  beta2Decay: {
    symbol: "d",
    text: "The mean of squares keeps 1 − tᵈ at step t: nearer to 0 forgets faster.",
  },
  beta3: { symbol: "β₃", text: "How much of a third mean is kept per step." },
  cautiousWeightDecay: {
    symbol: "λ",
    text: "Weight decay for the elements whose update has the sign of the weight.",
  },
  clipNorm: { text: "The largest norm of the gradient of one tensor; longer ones are shortened." },
  clipThreshold: {
    symbol: "d",
    text: "The largest root mean square of an update; larger updates are scaled down.",
  },
  clipUpdateRms: {
    text: "The largest root mean square of an update; larger updates are scaled down.",
  },
  clipValue: { text: "The largest absolute value of an element of the gradient." },
  d0: { symbol: "d₀", text: "The first estimate of the distance to the solution." },
  dCoef: { text: "A factor on the estimated rate." },
  dampening: {
    symbol: "τ",
    text: "How much of each new gradient is left out of the velocity, in PyTorch's form of momentum.",
  },
  decoupledWeightDecay: {
    symbol: "λ",
    text: "How much of each weight the update takes away, times the learning rate.",
  },
  emaMomentum: { symbol: "β", text: "How much of the average of the weights is kept per step." },
  emaOverwrite: {
    text: "After this many steps, the weights are replaced by their average; 0 for never.",
  },
  epsilon: {
    symbol: "ε",
    text: "Added to the root of the mean square, so that nothing is divided by 0. A large ε shortens the steps of elements with small gradients.",
  },
  epsilon1: {
    symbol: "ε₁",
    text: "Added to squared gradients, so that nothing is divided by 0.",
  },
  epsilon2: {
    symbol: "ε₂",
    text: "The least size of the weights that scales the updates.",
  },
  epsilonRoot: { symbol: "ε̄", text: "Added to the mean of squares, under the root." },
  globalClipNorm: {
    text: "The largest norm of all gradients together; longer ones are shortened.",
  },
  initialAccumulatorValue: { text: "The first value of the sum or mean of squares." },
  l1RegularizationStrength: {
    symbol: "λ₁",
    text: "The weight of the sum of |p|, which makes weights exactly 0.",
  },
  l2RegularizationStrength: { symbol: "λ₂", text: "The weight of the sum of p²." },
  l2ShrinkageRegularizationStrength: {
    text: "The weight of p² in the gradient alone, not in the sum of squares.",
  },
  learningRate: {
    symbol: "α",
    text: "The size of the steps. Too small is slow, too large overshoots or diverges.",
  },
  learningRateDecay: { text: "The rate is divided by 1 + decay · (t − 1) at step t." },
  lookaheadStepSize: {
    symbol: "α",
    text: "How far the slow weights move towards the weights, from 0 to 1.",
  },
  lookaheadSteps: { symbol: "k", text: "The slow weights move after every this many steps." },
  maxNorm: { text: "The largest norm of the weights of a unit." },
  maxWeight: { text: "The largest value of a weight." },
  minNorm: { text: "The smallest norm of the weights of a unit." },
  minWeight: { text: "The smallest value of a weight." },
  momentum: {
    symbol: "μ",
    text: "How much of the velocity is kept per step: 0.9 makes steps up to 10 times as long along a steady slope.",
  },
  momentumDecay: { text: "How fast the momentum grows to β₁." },
  muonA: { symbol: "a", text: "The coefficient of X in a Newton–Schulz iteration." },
  muonB: { symbol: "b", text: "The coefficient of XXᵀX in a Newton–Schulz iteration." },
  muonC: { symbol: "c", text: "The coefficient of (XXᵀ)²X in a Newton–Schulz iteration." },
  normRate: { text: "How far norms outside of the range are moved into it per step, from 0 to 1." },
  nsSteps: {
    text: "The number of Newton–Schulz iterations, which bring the singular values of the update near to 1.",
  },
  rho: {
    symbol: "ρ",
    text: "How much of the mean of the squared gradients is kept per step: about 1 / (1 − ρ) squares count.",
  },
  rmsRate: { text: "The root mean square of every update, before the learning rate." },
  stableRms: {
    text: "Updates whose gradients exceed this many times their usual size are shortened.",
  },
  threshold: {
    text: "The mean of squares is used once its approximated number of gradients exceeds this.",
  },
  trustCoefficient: {
    symbol: "η",
    text: "The length of an update as a fraction of the length of its weights.",
  },
  trustRatioCoefficient: {
    symbol: "η",
    text: "The length of an update as a fraction of the length of its weights.",
  },
  trustRatioEpsilon: { symbol: "ε", text: "Added to the norm of the update that divides." },
  warmupSteps: { text: "The rate grows linearly in this many steps." },
  weightDecay: {
    symbol: "λ",
    text: "How much of each weight is taken away per step, times the learning rate: it pulls the weights towards 0.",
  },
  weightLearningRatePower: {
    text: "The power of the learning rate by which a step counts in the average of the weights.",
  },
};

/** Where a rule gives a name another meaning. */
const ofRules: Readonly<Record<string, Readonly<Record<string, Meaning>>>> = {
  adabelief: {
    beta2: {
      symbol: "β₂",
      text: "How much of the mean of (g − m)² is kept per step: it measures how far gradients are from their mean.",
    },
  },
  adadelta: {
    learningRate: {
      symbol: "α",
      text: "A factor on the update, whose size Adadelta finds by itself. The paper has 1.",
    },
  },
  adagrad: {
    epsilon: { symbol: "ε", text: "Added to the sum of squares, so that nothing is divided by 0." },
  },
  adamax: {
    beta2: {
      symbol: "β₂",
      text: "How much of the largest gradient so far is kept per step.",
    },
  },
  adan: {
    beta2: {
      symbol: "β₂",
      text: "How much of the mean of the differences between gradients is kept per step.",
    },
    beta3: { symbol: "β₃", text: "How much of the mean of squares is kept per step." },
  },
  ademamix: {
    beta3: { symbol: "β₃", text: "How much of the slow mean of the gradients is kept per step." },
  },
  lion: {
    beta1: {
      symbol: "β₁",
      text: "The weight of the mean against the new gradient in the vote for the sign of the update.",
    },
    beta2: { symbol: "β₂", text: "How much of the mean of the gradients is kept per step." },
    learningRate: {
      symbol: "α",
      text: "The size of the steps: every element moves by exactly this much.",
    },
  },
  muon: {
    beta2: {
      symbol: "β₂",
      text: "How much of the mean of squares per row or column is kept per step, with secondMoments.",
    },
  },
  prodigy: {
    beta3: {
      symbol: "β₃",
      text: "How much of the estimate of the distance is kept per step; 0 for √β₂.",
    },
    learningRate: {
      symbol: "α",
      text: "A factor on the rate that Prodigy finds by itself; 1 as a rule.",
    },
  },
};

const options: Readonly<Record<string, string>> = {
  adjust: "How the update's size follows from the shape of the matrix.",
  agcAxis: "Whether a unit is a row or a column of its matrix.",
  amsgrad:
    "Divides by the largest mean of squares so far, so that steps never grow again after a large gradient.",
  amsgradOf:
    "Whether the maximum is that of v, as in Keras, or of v with bias correction, as in Optax.",
  averageForm: "How v is rounded: as in Keras, PyTorch or Optax.",
  biasCorrection:
    "Divides the means by 1 − βᵗ, because they start at 0 and are too small in the first steps.",
  centered: "Subtracts the square of the mean gradient, so that v is the variance.",
  centralizeAxis: "Whether a unit is a row or a column of its matrix.",
  epsilonMode: "Where ε is added: each library has its form.",
  gradientAverage: "Which mean of squares the update divides by: with this gradient, or before it.",
  maxNormAxis: "Whether a unit is a row or a column of its matrix.",
  maximize: "Goes uphill instead of downhill.",
  momentumForm: "Whether the rate is inside the velocity (Keras) or outside of it (PyTorch).",
  nesterov: "Takes the gradient's own step in addition to the momentum: looks one step ahead.",
  polynomials:
    "The coefficients of the Newton–Schulz iterations: the same for all, or one set per iteration.",
  productIn: "The precision in which the product of the momentum's schedule is kept.",
  safeguardWarmup:
    "Leaves the rate out of the estimate of the distance, for schedules with a warm-up.",
  secondMoments:
    "Divides rows or columns of the update by the root of their mean square, as NorMuon does.",
  unitNormAxis: "Whether a unit is a row or a column of its matrix.",
  useClipping: "Clips the divided gradient by t^(1/4), which protects the first steps.",
  weightDecayMode: "Decoupled decay shrinks the weights themselves; l2 adds them to the gradient.",
};

/**
 * What a hyperparameter of a rule or a stage means; undefined for one that is not built in.
 * @param rule the name of the rule, since some give a name a meaning of their own
 */
export function meaningOf(name: string, rule?: string): Meaning | undefined {
  const own = rule === undefined ? undefined : ofRules[rule]?.[name];
  return own ?? (Object.hasOwn(hyperparameters, name) ? hyperparameters[name] : undefined);
}

/** What an option of a rule or a stage means, as a sentence; undefined for one that is not built in. */
export function optionMeaningOf(name: string): string | undefined {
  return Object.hasOwn(options, name) ? options[name] : undefined;
}
