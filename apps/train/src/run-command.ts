import { learningRateSchedule } from "./training/learning-rate-schedule.js";
import type { Digits, Run } from "@gradstep/digits";
import { optimizers } from "@gradstep/digits/optimizers";
import { readDigits } from "@gradstep/digits/read";
import { gradstepOptimizer, train } from "@gradstep/digits/training";
import { count } from "@gradstep/apps-shared/format";
import { fileStore } from "@gradstep/checkpoint/files";
import { type ErrorCode, GradstepError, type Schedule } from "@gradstep/core";
import { type Backend, backendTitles, useBackend } from "./backend.js";
import { type Comparison, compare } from "./comparison/compare.js";
import { type Configuration, configurationOf, documentOf, settingsText } from "./document.js";
import { listing } from "./listing/listing.js";
import { printListing } from "./listing/print-listing.js";
import { interruptedStatus, interruption } from "./interruption.js";
import { helpText, type Options, OptionsError, parseOptions } from "./options.mjs";
import { originOf } from "./report/origin.js";
import { checkReportFile, writeReport } from "./report/report-file.js";
import { printComparison } from "./terminal/comparison.js";
import { comparisonProgress } from "./terminal/comparison-progress.js";
import { type Screen, screenOf } from "./terminal/screen.js";
import { printSummary } from "./terminal/summary.js";
import { trainingProgress } from "./terminal/training-progress.js";
import { type CheckpointSettings, savesTo } from "./training/checkpoints.js";

/** What a training needs besides the options. */
interface Inputs {
  readonly digits: Digits;
  readonly signal: AbortSignal;
}

interface Outcome {
  readonly run: Run;
  readonly comparison?: Comparison;
}

/** Runs the command line and returns the exit status. What is wrong is written to standard error. */
export async function runCommand(args: readonly string[]): Promise<number> {
  try {
    return await execute(args);
  } catch (error) {
    const isUserError = error instanceof OptionsError;
    process.stderr.write(
      isUserError
        ? `${error.message}\n`
        : error instanceof GradstepError
          ? `${messageOf(error)}\n`
          : `${error instanceof Error ? error.stack : String(error)}\n`,
    );
    return isUserError ? 2 : 1;
  }
}

async function execute(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    const { columns } = screenOf(process.stdout);
    process.stdout.write(`${helpText(columns)}\n`);
    return 0;
  }
  if (options.list) {
    if (options.json) process.stdout.write(`${JSON.stringify(listing(), null, 2)}\n`);
    else printListing(listing(), screenOf(process.stdout));
    return 0;
  }
  if (options.report !== undefined) checkReportFile(options.report);
  const start = new Date();
  const inputs = { digits: readDigits(), signal: interruption() };
  const { digits, signal } = inputs;
  const backend = await startBackend(options);
  const schedule = learningRateSchedule(options, digits.training.count);
  const configuration = configurationOf(options, digits, backend);
  // With --json, standard output is for the document alone.
  const screen = screenOf(options.json ? process.stderr : process.stdout);
  printHeading(options, configuration, screen);

  const { run, comparison } = options.compare
    ? await runComparison(options, configuration, inputs, screen)
    : await runTraining(options, schedule, inputs, screen);

  if (options.json) {
    const document = documentOf(configuration, run, comparison);
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  } else if (comparison) printComparison(comparison, screen);
  else printSummary(run, digits.heldOut.pixels, screen);
  if (!options.json && backend.gpu !== undefined) {
    screen.printWrapped(
      "On WebGPU, optimizer times are CPU time spent recording commands; the GPU runs asynchronously.",
    );
  }
  if (options.checkpoint !== undefined && run.interrupted)
    screen.printWrapped(`Saved in ${options.checkpoint}; --resume goes on from here.`);
  if (options.report !== undefined) {
    const origin = originOf(start, args);
    const { heldOut } = digits;
    await writeReport(options.report, { configuration, run, comparison, heldOut, origin });
    screen.printWrapped(`Report: ${options.report}`);
  }
  return signal.aborted ? interruptedStatus : 0;
}

/** Starts the chosen backend. @throws {OptionsError} if it is WebGPU and there is none. */
async function startBackend({ backend }: Options): Promise<Backend> {
  try {
    return await useBackend(backend);
  } catch (error) {
    if (!(error instanceof GradstepError)) throw error;
    throw new OptionsError(`Got --backend ${backend}, which does not start: ${error.message}`);
  }
}

async function runTraining(
  options: Options,
  schedule: Schedule,
  { digits, signal }: Inputs,
  screen: Screen,
): Promise<Outcome> {
  const observer = trainingProgress(screen, options.epochs);
  const optimizer = gradstepOptimizer(options, schedule);
  try {
    const settings = await checkpointSettings(options, digits.training.count);
    const save = settings && savesTo(settings, optimizer, options);
    return { run: await train({ optimizer, digits, settings: options, signal, observer, save }) };
  } finally {
    observer.close();
  }
}

/**
 * Where the training is saved.
 * @throws {OptionsError} if there are checkpoints that the training would replace
 */
async function checkpointSettings(
  { checkpoint, every, resume, batchSize, accumulate }: Options,
  digits: number,
): Promise<CheckpointSettings | undefined> {
  if (checkpoint === undefined) return undefined;
  const store = fileStore(checkpoint);
  if (!resume && (await store.list()).length > 0) {
    throw new OptionsError(
      `Got --checkpoint ${checkpoint}, which has checkpoints of another training; add --resume to go on with it, or choose another folder.`,
    );
  }
  const perEpoch = Math.max(1, Math.floor(Math.ceil(digits / batchSize) / accumulate));
  return { store, every: every ?? perEpoch, resumes: resume };
}

async function runComparison(
  options: Options,
  { backend: chosen }: Configuration,
  { digits, signal }: Inputs,
  screen: Screen,
): Promise<Outcome> {
  let progress: ReturnType<typeof comparisonProgress> | undefined;
  const comparison = await compare({ digits, options, chosen, signal }, (backend) => {
    if (progress !== undefined) screen.print();
    screen.print(screen.paint.bold(backendTitles[backend]));
    progress = comparisonProgress(screen, options.epochs);
    return progress;
  });
  progress?.close();
  return { run: comparison.backends[0].runs.gradstep, comparison };
}

function printHeading(options: Options, configuration: Configuration, screen: Screen): void {
  const { paint } = screen;
  const { optimizer, backend, gpu, trainingDigits, layers, parameters } = configuration;
  const { learningRate, epochs, batchSize, seed } = configuration;
  const title = options.compare
    ? "Training a digit classifier · gradstep Adam and TF.js Adam"
    : `Training a digit classifier · gradstep ${optimizers[optimizer].title} · ${backendTitles[backend]}`;
  screen.printWrapped(title, paint.bold);
  if (gpu !== undefined) {
    screen.printWrapped(
      gpu.isSoftware ? `No GPU: ${gpu.description} computes on the CPU, slowly` : gpu.description,
      gpu.isSoftware ? paint.yellow : paint.dim,
    );
  }
  screen.printWrapped(
    `${count(trainingDigits, "digit")}, ${layers.join("-")} units, ${count(parameters, "parameter")}`,
    paint.dim,
  );
  screen.printWrapped(
    `${count(epochs, "epoch")} in batches of ${batchSize}, learning rate ${learningRate}, seed ${seed}`,
    paint.dim,
  );
  const others = settingsText(configuration);
  if (others !== "") screen.printWrapped(others, paint.dim);
  screen.print();
}

/** What options of this program remedy an error of the optimizer, which itself speaks of code. */
const remedies: Partial<Record<ErrorCode, string>> = {
  NON_FINITE: " Here: --non-finite skip, or a lower --learning-rate.",
  UNSUPPORTED: " Here: --backend wasm.",
};

/** An error of the optimizer, as a user of this program can act on it. */
function messageOf({ code, message, misfits }: GradstepError): string {
  if (misfits === undefined) return `${message}${remedies[code] ?? ""}`;
  const differences = misfits.map(
    ({ path, got, expected }) =>
      `- ${path}: the checkpoint has ${somethingOf(got)}; expected ${somethingOf(expected)}`,
  );
  return `The checkpoint is of a training with other options. --resume needs the options with which it was made, --epochs too.\n${differences.join("\n")}`;
}

function somethingOf(text: string): string {
  return text === "missing" ? "nothing" : text;
}
