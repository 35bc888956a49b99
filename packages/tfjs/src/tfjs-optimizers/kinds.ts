/**
 * One of TF.js's optimizers: its name in saved models, and its constructor's arguments. A model that is saved with
 * gradstep's counterpart loads in plain TF.js, and the other way round.
 */
export interface TfjsKind {
  readonly className: string;
  /** TF.js's names of hyperparameters and options, in the order of the arguments. */
  readonly parameters: readonly string[];
  /** Hyperparameters that gradstep's rules call otherwise, by TF.js's name. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Flags. They are not hyperparameters: they cannot be changed later. */
  readonly flags?: readonly string[];
  /** Whether the rule has an epsilon, which is by default that of TF.js's backend. */
  readonly hasEpsilon?: boolean;
}

/** By the name in `tf.train`, which is the name that `fromTfjs` takes. */
export const kinds = {
  sgd: { className: "SGD", parameters: ["learningRate"] },
  momentum: {
    className: "Momentum",
    parameters: ["learningRate", "momentum", "useNesterov"],
    flags: ["useNesterov"],
  },
  adadelta: {
    className: "Adadelta",
    parameters: ["learningRate", "rho", "epsilon"],
    hasEpsilon: true,
  },
  adagrad: {
    className: "Adagrad",
    parameters: ["learningRate", "initialAccumulatorValue"],
    hasEpsilon: true,
  },
  rmsprop: {
    className: "RMSProp",
    parameters: ["learningRate", "decay", "momentum", "epsilon", "centered"],
    renamed: { decay: "rho" },
    flags: ["centered"],
    hasEpsilon: true,
  },
  adam: {
    className: "Adam",
    parameters: ["learningRate", "beta1", "beta2", "epsilon"],
    hasEpsilon: true,
  },
  adamax: {
    className: "Adamax",
    parameters: ["learningRate", "beta1", "beta2", "epsilon", "decay"],
    renamed: { decay: "learningRateDecay" },
    hasEpsilon: true,
  },
} as const satisfies Record<string, TfjsKind>;

/** The names in `tf.train`. */
export type TfjsName = keyof typeof kinds;

/** All of them. */
export const tfjsNames: readonly TfjsName[] = Object.keys(kinds) as TfjsName[];
