/** What a rule or stage is for, in one line, by its name. */
const summaries: Readonly<Record<string, string>> = {
  adabelief: "Adam, with the variance around the mean gradient in place of the mean square.",
  adadelta: "Finds the size of its steps from the updates before.",
  adafactor: "Adam's second moment as one value per row and column: almost no memory.",
  adagrad: "Divides by the root of the sum of all squares: for sparse features.",
  adam: "The usual choice: moving averages of the gradient and its square.",
  adamax: "Adam with the largest gradient in place of the mean square.",
  adamw: "Adam with decoupled weight decay: the usual choice for transformers.",
  adan: "Nesterov momentum as an average of differences between gradients.",
  ademamix: "Adam with a second, slow average of the gradients.",
  adopt: "Adam that converges for every β₂: it divides by the average before the gradient.",
  ftrl: "Sparse weights for wide linear models: L1 and L2 in closed form.",
  lamb: "Adam scaled to the norm of each tensor: for very large batches.",
  lars: "Momentum scaled to the norm of each tensor: for very large batches.",
  lion: "The sign of a momentum: half of Adam's memory, all steps of the same size.",
  muon: "Momentum whose singular values are brought near to 1: for the matrices of a network.",
  nadam: "Adam with Nesterov momentum that grows over the steps.",
  prodigy: "Adam that finds its learning rate.",
  radam: "Adam that begins with plain momentum until its averages can be trusted.",
  rmsprop: "Divides by the root of a moving average of squares.",
  "schedule-free-adamw": "AdamW that needs no learning rate schedule: it averages the weights.",
  "schedule-free-sgd":
    "Gradient descent that needs no learning rate schedule: it averages the weights.",
  sgd: "Gradient descent, with or without momentum.",
  yogi: "Adam whose second moment changes by limited amounts.",
  "adaptive-gradient-clip": "Clips the gradient of each unit to a part of the norm of its weights.",
  "cautious-update": "Updates only where update and gradient have the same sign.",
  "cautious-weight-decay": "Decays only where that does not work against the update.",
  "centralize-gradients": "Subtracts from the gradient of each unit its mean.",
  "clamp-weights": "Keeps each value in a range.",
  "clip-by-global-norm": "Clips the norm of all gradients together.",
  "clip-by-norm": "Clips the norm of the gradient of each tensor.",
  "clip-by-value": "Clips each value of the gradient.",
  "clip-update-by-rms": "Clips the root mean square of the update of each tensor.",
  "decoupled-weight-decay": "Weight decay as a part of the update, for stages after it.",
  ema: "A moving average of the weights, to evaluate with.",
  lookahead: "Slow weights that follow every few steps.",
  "max-norm": "Limits the norm of each row or column.",
  "non-negative-weights": "Replaces negative values by 0.",
  "stable-update": "Shortens updates of tensors whose gradients grew.",
  "trust-ratio": "Scales the update of each tensor to the norm of the tensor.",
  "unit-norm": "Gives each row or column the norm 1.",
};

/** @throws for a rule or stage without one, so that none is left out */
export function summaryOf(name: string): string {
  if (!Object.hasOwn(summaries, name)) throw new Error(`${name} has no summary; add it.`);
  return summaries[name];
}
