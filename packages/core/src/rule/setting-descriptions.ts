/**
 * What the settings of built-in rules and stages mean, for editors: types that are mapped over a part of this keep the
 * comments. A rule may say more of its own.
 */
export interface SettingDescriptions {
  /** The largest norm of a unit's gradient, as a multiple of the norm of its weights. */
  readonly agcClipping: unknown;
  /** Norms of weights below this count as this, so that units that are 0 can learn. */
  readonly agcEpsilon: unknown;
  /** The weight of the slow mean of the gradients in the update. */
  readonly alpha: unknown;
  /** Added to √n in the rate of each element. */
  readonly beta: unknown;
  /**
   * How much of the mean of the gradients is kept per step: about 1 / (1 − β₁) gradients count. More smooths noise
   * and builds up momentum.
   */
  readonly beta1: unknown;
  /**
   * How much of the mean of the squared gradients is kept per step: about 1 / (1 − β₂) squares count. It sets how
   * long a large gradient keeps the steps small.
   */
  readonly beta2: unknown;
  /** The mean of squares keeps 1 − tᵈ at step t: nearer to 0 forgets faster. */
  readonly beta2Decay: unknown;
  /** How much of a third mean is kept per step. */
  readonly beta3: unknown;
  /** Weight decay for the elements whose update has the sign of the weight. */
  readonly cautiousWeightDecay: unknown;
  /** The largest norm of the gradient of one tensor; longer ones are shortened. */
  readonly clipNorm: unknown;
  /** The largest root mean square of an update; larger updates are scaled down. */
  readonly clipThreshold: unknown;
  /** The largest root mean square of an update; larger updates are scaled down. */
  readonly clipUpdateRms: unknown;
  /** The largest absolute value of an element of the gradient. */
  readonly clipValue: unknown;
  /** The first estimate of the distance to the solution. */
  readonly d0: unknown;
  /** A factor on the estimated rate. */
  readonly dCoef: unknown;
  /** How much of each new gradient is left out of the velocity, in PyTorch's form of momentum. */
  readonly dampening: unknown;
  /** How much of each weight the update takes away, times the learning rate. */
  readonly decoupledWeightDecay: unknown;
  /** How much of the average of the weights is kept per step. */
  readonly emaMomentum: unknown;
  /** After this many steps, the weights are replaced by their average; 0 for never. */
  readonly emaOverwrite: unknown;
  /**
   * Added to the root of the mean square, so that nothing is divided by 0. A large ε shortens the steps of elements
   * with small gradients.
   */
  readonly epsilon: unknown;
  /** Added to squared gradients, so that nothing is divided by 0. */
  readonly epsilon1: unknown;
  /** The least size of the weights that scales the updates. */
  readonly epsilon2: unknown;
  /** Added to the mean of squares, under the root. */
  readonly epsilonRoot: unknown;
  /** The largest norm of all gradients together; longer ones are shortened. */
  readonly globalClipNorm: unknown;
  /** The first value of the sum or mean of squares. */
  readonly initialAccumulatorValue: unknown;
  /** The weight of the sum of |p|, which makes weights exactly 0. */
  readonly l1RegularizationStrength: unknown;
  /** The weight of the sum of p². */
  readonly l2RegularizationStrength: unknown;
  /** The weight of p² in the gradient alone, not in the sum of squares. */
  readonly l2ShrinkageRegularizationStrength: unknown;
  /** The size of the steps. Too small is slow, too large overshoots or diverges. */
  readonly learningRate: unknown;
  /** The rate is divided by 1 + decay · (t − 1) at step t. */
  readonly learningRateDecay: unknown;
  /** How far the slow weights move towards the weights, from 0 to 1. */
  readonly lookaheadStepSize: unknown;
  /** The slow weights move after every this many steps. */
  readonly lookaheadSteps: unknown;
  /** The largest norm of the weights of a unit. */
  readonly maxNorm: unknown;
  /** The largest value of a weight. */
  readonly maxWeight: unknown;
  /** The smallest norm of the weights of a unit. */
  readonly minNorm: unknown;
  /** The smallest value of a weight. */
  readonly minWeight: unknown;
  /** How much of the velocity is kept per step: 0.9 makes steps up to 10 times as long along a steady slope. */
  readonly momentum: unknown;
  /** How fast the momentum grows to β₁. */
  readonly momentumDecay: unknown;
  /** The coefficient of X in a Newton–Schulz iteration. */
  readonly muonA: unknown;
  /** The coefficient of XXᵀX in a Newton–Schulz iteration. */
  readonly muonB: unknown;
  /** The coefficient of (XXᵀ)²X in a Newton–Schulz iteration. */
  readonly muonC: unknown;
  /** How far norms outside of the range are moved into it per step, from 0 to 1. */
  readonly normRate: unknown;
  /** The number of Newton–Schulz iterations, which bring the singular values of the update near to 1. */
  readonly nsSteps: unknown;
  /** How much of the mean of the squared gradients is kept per step: about 1 / (1 − ρ) squares count. */
  readonly rho: unknown;
  /** The root mean square of every update, before the learning rate. */
  readonly rmsRate: unknown;
  /** Updates whose gradients exceed this many times their usual size are shortened. */
  readonly stableRms: unknown;
  /** The mean of squares is used once its approximated number of gradients exceeds this. */
  readonly threshold: unknown;
  /** The length of an update as a fraction of the length of its weights. */
  readonly trustCoefficient: unknown;
  /** The length of an update as a fraction of the length of its weights. */
  readonly trustRatioCoefficient: unknown;
  /** Added to the norm of the update that divides. */
  readonly trustRatioEpsilon: unknown;
  /** The rate grows linearly in this many steps. */
  readonly warmupSteps: unknown;
  /** How much of each weight is taken away per step, times the learning rate: it pulls the weights towards 0. */
  readonly weightDecay: unknown;
  /** The power of the learning rate by which a step counts in the average of the weights. */
  readonly weightLearningRatePower: unknown;
  /** How the update's size follows from the shape of the matrix. */
  readonly adjust: unknown;
  /** Whether a unit is a row or a column of its matrix. */
  readonly agcAxis: unknown;
  /** Divides by the largest mean of squares so far, so that steps never grow again after a large gradient. */
  readonly amsgrad: unknown;
  /** Whether the maximum is that of v, as in Keras, or of v with bias correction, as in Optax. */
  readonly amsgradOf: unknown;
  /** How v is rounded: as in Keras, PyTorch or Optax. */
  readonly averageForm: unknown;
  /** Divides the means by 1 − βᵗ, because they start at 0 and are too small in the first steps. */
  readonly biasCorrection: unknown;
  /** Subtracts the square of the mean gradient, so that v is the variance. */
  readonly centered: unknown;
  /** Whether a unit is a row or a column of its matrix. */
  readonly centralizeAxis: unknown;
  /** Where ε is added: each library has its form. */
  readonly epsilonMode: unknown;
  /** Which mean of squares the update divides by: with this gradient, or before it. */
  readonly gradientAverage: unknown;
  /** Whether a unit is a row or a column of its matrix. */
  readonly maxNormAxis: unknown;
  /** Goes uphill instead of downhill. */
  readonly maximize: unknown;
  /** Whether the rate is inside the velocity (Keras) or outside of it (PyTorch). */
  readonly momentumForm: unknown;
  /** Takes the gradient's own step in addition to the momentum: looks one step ahead. */
  readonly nesterov: unknown;
  /** The coefficients of the Newton–Schulz iterations: the same for all, or one set per iteration. */
  readonly polynomials: unknown;
  /** The precision in which the product of the momentum's schedule is kept. */
  readonly productIn: unknown;
  /** Leaves the rate out of the estimate of the distance, for schedules with a warm-up. */
  readonly safeguardWarmup: unknown;
  /** Divides rows or columns of the update by the root of their mean square, as NorMuon does. */
  readonly secondMoments: unknown;
  /** Whether a unit is a row or a column of its matrix. */
  readonly unitNormAxis: unknown;
  /** Clips the divided gradient by t^(1/4), which protects the first steps. */
  readonly useClipping: unknown;
  /** Decoupled decay shrinks the weights themselves; l2 adds them to the gradient. */
  readonly weightDecayMode: unknown;
}
