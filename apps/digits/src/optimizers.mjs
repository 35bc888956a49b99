// Plain JavaScript without dependencies, so that the command line of the trainer can be checked before anything is built.

/**
 * gradstep's optimizers: their display names, and initial learning rates that suit this network. FTRL is left out, because
 * it computes parameters from the gradients alone, and a network needs its initial values.
 */
export const optimizers = /** @type {const} */ ({
  adam: { title: "Adam", learningRate: 0.003 },
  adamw: { title: "AdamW", learningRate: 0.003 },
  adamax: { title: "Adamax", learningRate: 0.008 },
  nadam: { title: "Nadam", learningRate: 0.003 },
  adagrad: { title: "Adagrad", learningRate: 0.08 },
  rmsprop: { title: "RMSprop", learningRate: 0.002 },
  sgd: { title: "SGD", learningRate: 0.3 },
  lion: { title: "Lion", learningRate: 0.0005 },
  adadelta: { title: "Adadelta", learningRate: 3 },
  radam: { title: "RAdam", learningRate: 0.01 },
  adabelief: { title: "AdaBelief", learningRate: 0.003 },
  yogi: { title: "Yogi", learningRate: 0.01 },
  adan: { title: "Adan", learningRate: 0.01 },
  adopt: { title: "ADOPT", learningRate: 0.003 },
  muon: { title: "Muon", learningRate: 0.01 },
  lamb: { title: "LAMB", learningRate: 0.01 },
  lars: { title: "LARS", learningRate: 10 },
  adafactor: { title: "Adafactor", learningRate: 0.1 },
  prodigy: { title: "Prodigy", learningRate: 1 },
  "schedule-free-adamw": { title: "Schedule-free AdamW", learningRate: 0.01 },
  "schedule-free-sgd": { title: "Schedule-free SGD", learningRate: 1 },
  ademamix: { title: "AdEMAMix", learningRate: 0.003 },
});

/** @typedef {keyof typeof optimizers} OptimizerName */

export const optimizerNames = /** @type {OptimizerName[]} */ (Object.keys(optimizers));

export const nonFiniteChoices = /** @type {const} */ (["propagate", "skip", "throw"]);

/** @typedef {(typeof nonFiniteChoices)[number]} NonFiniteChoice */
