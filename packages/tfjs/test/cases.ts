import { tf } from "./support.js";

/** TF.js's optimizers, by the name and the settings that `fromTfjs` takes. */
export const cases: [
  name: string,
  settings: Record<string, unknown>,
  theirs: () => tf.Optimizer,
][] = [
  ["sgd", { learningRate: 0.1 }, () => tf.train.sgd(0.1)],
  ["momentum", { learningRate: 0.05, momentum: 0.9 }, () => tf.train.momentum(0.05, 0.9)],
  [
    "momentum",
    { learningRate: 0.05, momentum: 0.9, useNesterov: true },
    () => tf.train.momentum(0.05, 0.9, true),
  ],
  ["adadelta", { learningRate: 1 }, () => tf.train.adadelta(1)],
  [
    "adadelta",
    { learningRate: 0.5, rho: 0.8, epsilon: 1e-4 },
    () => tf.train.adadelta(0.5, 0.8, 1e-4),
  ],
  ["adagrad", { learningRate: 0.05 }, () => tf.train.adagrad(0.05)],
  ["rmsprop", { learningRate: 0.001 }, () => tf.train.rmsprop(0.001)],
  [
    "rmsprop",
    { learningRate: 0.001, decay: 0.8, momentum: 0.5 },
    () => tf.train.rmsprop(0.001, 0.8, 0.5),
  ],
  ["adam", { learningRate: 0.002 }, () => tf.train.adam(0.002)],
  [
    "adam",
    { learningRate: 0.002, beta1: 0.8, beta2: 0.99, epsilon: 1e-3 },
    () => tf.train.adam(0.002, 0.8, 0.99, 1e-3),
  ],
  ["adamax", { learningRate: 0.002 }, () => tf.train.adamax()],
  [
    "adamax",
    { learningRate: 0.002, decay: 0.01 },
    () => tf.train.adamax(0.002, 0.9, 0.999, null as never, 0.01),
  ],
];
