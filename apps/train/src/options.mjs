// Plain JavaScript without dependencies, so that a command line can be checked before anything is installed or built.
import {
  momentum,
  oneOf,
  OptionsError,
  positiveNumber,
  programHelp,
  readOptions,
  wholeNumber,
} from "../../shared/src/command-line.mjs";
import { nonFiniteChoices, optimizerNames, optimizers } from "../../digits/src/optimizers.mjs";

export { OptionsError };

/** @typedef {import("../../digits/src/optimizers.mjs").OptimizerName} OptimizerName */

/** @typedef {import("../../digits/src/optimizers.mjs").NonFiniteChoice} NonFiniteChoice */

/**
 * @typedef {object} Options
 * @property {OptimizerName} optimizer
 * @property {boolean} list Print what there is instead of a training.
 * @property {number} learningRate What `learningRate` stands for in the schedule.
 * @property {string} schedule An expression.
 * @property {number | undefined} clip The global norm of the gradients, if they are clipped.
 * @property {number} accumulate Batches per step.
 * @property {NonFiniteChoice | undefined} nonFinite
 * @property {number | "dynamic" | undefined} lossScale
 * @property {number | undefined} ema The momentum of the average of the weights, if there is one.
 * @property {number} epochs
 * @property {number} batchSize Digits per batch.
 * @property {BackendChoice} backend
 * @property {number} seed
 * @property {boolean} compare
 * @property {string | undefined} checkpoint The folder in which the training is saved, if any.
 * @property {number | undefined} every Steps between two saves; one epoch if undefined.
 * @property {boolean} resume Continue from the newest checkpoint.
 * @property {boolean} json
 * @property {string | undefined} report The HTML file to write, if any.
 * @property {boolean} help
 */

export const backendChoices = /** @type {const} */ (["wasm", "webgpu", "cpu-js", "auto"]);

/** @typedef {(typeof backendChoices)[number]} BackendChoice */

/** `--compare` runs two trainings on each of two or three backends. */
const defaultEpochs = { alone: 8, compared: 2 };

/** From the learning rate down to a fiftieth of it: half a cosine. */
export const defaultSchedule = "cosineDecay(learningRate, steps, { alpha: 0.02 })";

/** In the order of the help. */
const definitions = {
  optimizer: {
    value: "NAME",
    help: `${optimizerNames.join(" ")} (adam); list prints all rules, stages and schedules with their arguments, defaults and papers`,
  },
  "learning-rate": {
    value: "RATE",
    help: `the learningRate of the schedule (${optimizers.adam.learningRate} for adam)`,
  },
  schedule: {
    value: "SCHEDULE",
    help: `the learning rate over the steps, as in code; steps is their number (${defaultSchedule}). Another example: "warmup(100, cosineDecay(learningRate, steps - 100))"`,
  },
  clip: { value: "NORM", help: "clip the gradients to this global norm" },
  accumulate: { value: "COUNT", help: "batches per step, whose gradients are averaged (1)" },
  "non-finite": {
    value: "WHAT",
    help: `what to do about a gradient that is NaN or infinite: ${nonFiniteChoices.join(" ")} (${nonFiniteChoices[0]}; with --loss-scale ${nonFiniteChoices[1]})`,
  },
  "loss-scale": {
    value: "FACTOR",
    help: "multiply losses and divide gradients by this number; dynamic adapts it",
  },
  ema: {
    value: "MOMENTUM",
    help: "average the weights with this momentum, and evaluate with the average",
  },
  epochs: {
    value: "COUNT",
    help: `passes over the training digits (${defaultEpochs.alone}; with --compare ${defaultEpochs.compared})`,
  },
  "batch-size": { value: "COUNT", help: "digits per batch (64)" },
  backend: {
    value: "NAME",
    help: `where TF.js and gradstep compute: ${backendChoices.join(" ")} (${backendChoices[0]})`,
  },
  seed: {
    value: "NUMBER",
    help: "the same seed and the same epochs give the same losses, with --compare too (1)",
  },
  compare: {
    help: "train with gradstep's Adam and with TF.js's own, taking turns, on wasm, cpu-js and --backend",
  },
  checkpoint: {
    value: "DIR",
    help: "save the training to this folder every epoch, at the end, and at Ctrl-C; keep the last three",
  },
  every: { value: "STEPS", help: "save every this many steps (once per epoch)" },
  resume: {
    help: "continue from the newest checkpoint in --checkpoint DIR, as if the training had never stopped",
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
  const name = last("optimizer") ?? "adam";
  const list = name === "list";
  const optimizer = list ? "adam" : oneOf("optimizer", name, optimizerNames);
  if (compare) rejectWithCompare(given);
  if (compare && name !== "adam") {
    throw new OptionsError(
      `Got --optimizer ${name} with --compare; expected adam, the optimizer that is compared.`,
    );
  }
  const epochs = compare ? defaultEpochs.compared : defaultEpochs.alone;
  if (
    last("loss-scale") === "dynamic" &&
    given.has("non-finite") &&
    last("non-finite") !== "skip"
  ) {
    throw new OptionsError(
      `Got --non-finite ${last("non-finite")} with --loss-scale dynamic; expected skip, because skipped steps are how it finds the largest scale.`,
    );
  }
  for (const name of ["every", "resume"]) {
    if (given.has(name) && !given.has("checkpoint"))
      throw new OptionsError(`Got --${name} without --checkpoint; expected --checkpoint DIR, too.`);
  }
  return {
    optimizer,
    list,
    learningRate: positiveNumber(
      "learning-rate",
      last("learning-rate"),
      optimizers[optimizer].learningRate,
    ),
    schedule: last("schedule") ?? defaultSchedule,
    clip: positiveNumber("clip", last("clip"), undefined),
    accumulate: wholeNumber("accumulate", last("accumulate"), 1, 1000, 1),
    nonFinite: given.has("non-finite")
      ? oneOf("non-finite", last("non-finite") ?? "", nonFiniteChoices)
      : undefined,
    lossScale: lossScaleOf(last("loss-scale")),
    ema: momentum("ema", last("ema")),
    epochs: wholeNumber("epochs", last("epochs"), 1, 1000, epochs),
    batchSize: wholeNumber("batch-size", last("batch-size"), 1, 8000, 64),
    backend: oneOf("backend", last("backend") ?? backendChoices[0], backendChoices),
    seed: wholeNumber("seed", last("seed"), 0, 2 ** 32 - 1, 1),
    compare,
    checkpoint: last("checkpoint"),
    every: wholeNumber("every", last("every"), 1, 1_000_000, undefined),
    resume: given.has("resume"),
    json: given.has("json"),
    report: last("report"),
    help: given.has("help"),
  };
}

/**
 * The options that TF.js's own Adam has no counterpart for.
 *
 * @param {ReadonlyMap<string, unknown>} given
 */
function rejectWithCompare(given) {
  if (given.has("checkpoint")) {
    throw new OptionsError("Got --checkpoint with --compare; expected one of them.");
  }
  for (const name of ["clip", "accumulate", "non-finite", "loss-scale", "ema"]) {
    if (given.has(name)) {
      throw new OptionsError(
        `Got --${name} with --compare; expected one of them, because TF.js's own Adam has no --${name}.`,
      );
    }
  }
}

/**
 * @param {string | undefined} value
 * @returns {number | "dynamic" | undefined}
 */
function lossScaleOf(value) {
  if (value === undefined || value === "dynamic") return value;
  try {
    return positiveNumber("loss-scale", value, undefined);
  } catch {
    throw new OptionsError(
      `Got --loss-scale ${value}; expected a number above 0, such as 1024, or dynamic.`,
    );
  }
}

/**
 * What `--help` prints.
 *
 * @param {number} [screenColumns] The width of the terminal; at most 80 are used.
 * @returns {string}
 */
export function helpText(screenColumns = 80) {
  return programHelp(
    {
      summary:
        "Trains a network on 8,000 handwritten digits with gradstep's optimizers and tests it on 2,000 others.",
      usage: "npm start -- [options]",
      definitions,
      notes: [
        "Ctrl-C stops after the current batch and shows the results so far. A second Ctrl-C quits at once.",
        "To stop and continue later: npm start -- --checkpoint runs/first, then the same with --resume.",
      ],
    },
    screenColumns,
  );
}
