// Plain JavaScript without dependencies, so that a command line can be checked before anything is installed or built.
import {
  oneOf,
  optionLines,
  OptionsError,
  readOptions,
  wrap,
} from "../../shared/src/command-line.mjs";

export { OptionsError };

/**
 * @typedef {object} Options
 * @property {OptimizerName} optimizer
 * @property {number} learningRate
 * @property {number} epochs
 * @property {number} batchSize Digits per step.
 * @property {BackendChoice} backend
 * @property {number} seed
 * @property {boolean} compare
 * @property {boolean} json
 * @property {string | undefined} report The HTML file to write, if any.
 * @property {boolean} help
 */

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

export const backendChoices = /** @type {const} */ (["wasm", "webgpu", "cpu-js", "auto"]);

/** @typedef {(typeof backendChoices)[number]} BackendChoice */

/** `--compare` runs two trainings on each of two or three backends. */
const defaultEpochs = { alone: 8, compared: 2 };

/** In the order of the help. */
const definitions = {
  optimizer: { value: "NAME", help: `${optimizerNames.join(" ")} (adam)` },
  "learning-rate": {
    value: "RATE",
    help: `of the first step; falls to a fiftieth by the last (${optimizers.adam.learningRate} for adam)`,
  },
  epochs: {
    value: "COUNT",
    help: `passes over the training digits (${defaultEpochs.alone}; with --compare ${defaultEpochs.compared})`,
  },
  "batch-size": { value: "COUNT", help: "digits per step (64)" },
  backend: {
    value: "NAME",
    help: `where TF.js and gradstep compute: ${backendChoices.join(" ")} (${backendChoices[0]})`,
  },
  seed: {
    value: "NUMBER",
    help: "the same seed and the same epochs give the same losses, with --compare too (1)",
  },
  compare: {
    help: "train with gradstep's Adam and with TF.js's own, in turns, on wasm, on cpu-js and on --backend",
  },
  json: { help: "print one JSON document instead: npm start --silent -- --json" },
  report: { value: "FILE", help: "write an HTML report with curves and a confusion matrix" },
  help: { short: "h", help: "print this" },
};

/** The names of all options, without dashes; also for `scripts/start.mjs`. */
export const optionNames = Object.keys(definitions);

/**
 * Reads a command line, without the program's name.
 *
 * @param {readonly string[]} args
 * @returns {Options}
 * @throws {OptionsError}
 */
export function parseOptions(args) {
  const given = readOptions(args, definitions);
  /** @param {keyof typeof definitions} name */
  const last = (name) => given.get(name)?.at(-1);
  const compare = given.has("compare");
  const optimizer = oneOf("optimizer", last("optimizer") ?? "adam", optimizerNames);
  if (compare && optimizer !== "adam") {
    throw new OptionsError(
      `Got --optimizer ${optimizer} with --compare; expected adam, the optimizer that is compared.`,
    );
  }
  const epochs = compare ? defaultEpochs.compared : defaultEpochs.alone;
  return {
    optimizer,
    learningRate: positiveNumber(
      "learning-rate",
      last("learning-rate"),
      optimizers[optimizer].learningRate,
    ),
    epochs: wholeNumber("epochs", last("epochs"), 1, 1000, epochs),
    batchSize: wholeNumber("batch-size", last("batch-size"), 1, 8000, 64),
    backend: oneOf("backend", last("backend") ?? backendChoices[0], backendChoices),
    seed: wholeNumber("seed", last("seed"), 0, 2 ** 32 - 1, 1),
    compare,
    json: given.has("json"),
    report: last("report"),
    help: given.has("help"),
  };
}

/**
 * @param {string} option
 * @param {string | undefined} value
 * @param {number} fallback
 */
function positiveNumber(option, value, fallback) {
  if (value === undefined) return fallback;
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN;
  if (!(number > 0 && number < Infinity)) {
    throw new OptionsError(`Got --${option} ${value}; expected a number above 0, such as 0.001.`);
  }
  return number;
}

/**
 * @param {string} option
 * @param {string | undefined} value
 * @param {number} min
 * @param {number} max
 * @param {number} fallback
 */
function wholeNumber(option, value, min, max, fallback) {
  if (value === undefined) return fallback;
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw new OptionsError(
      `Got --${option} ${value}; expected a whole number from ${min} to ${max}.`,
    );
  }
  return number;
}

/**
 * What `--help` prints.
 *
 * @param {number} [screenColumns] The width of the terminal; at most 80 are used.
 * @returns {string}
 */
export function helpText(screenColumns = 80) {
  const columns = Math.min(80, screenColumns);
  return [
    ...wrap(
      "Trains a network on 8,000 handwritten digits with gradstep's optimizers and tests it on 2,000 others.",
      columns,
    ),
    "",
    "Usage: npm start -- [options]",
    "",
    ...optionLines(definitions, columns),
    "",
    ...wrap(
      "Ctrl-C stops after the current batch and shows the results so far. A second Ctrl-C quits at once.",
      columns,
    ),
  ].join("\n");
}
