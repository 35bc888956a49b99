import { GradstepError } from "@gradstep/core";
import { type Comparison, compare } from "./comparison.js";
import { type Digits, readDigits } from "./digits.js";
import { type Configuration, configurationOf, documentOf } from "./document.js";
import { interruptedStatus, interruption } from "./interruption.js";
import { parameterCount } from "./model.js";
import { helpText, type Options, OptionsError, parseOptions } from "./options.js";
import { gradstepOptimizer } from "./optimizers.js";
import { checkReportFile, writeReport } from "./report/file.js";
import { printComparison } from "./terminal/comparison.js";
import { count } from "./terminal/figures.js";
import { progressOn } from "./terminal/progress.js";
import { type Screen, screenOf } from "./terminal/screen.js";
import { printSummary } from "./terminal/summary.js";
import { type Backend, useBackend } from "./tfjs.js";
import type { Run } from "./run.js";
import { train } from "./training.js";

interface Outcome {
  readonly run: Run;
  readonly comparison?: Comparison;
}

/** Does what the command line says and returns the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(`${helpText()}\n`);
    return 0;
  }
  if (options.report !== undefined) checkReportFile(options.report);
  const signal = interruption();
  const digits = readDigits();
  const backend = await chosenBackend(options);
  const configuration = configurationOf(options, digits, backend);
  // With --json, standard output is for the document alone.
  const screen = screenOf(options.json ? process.stderr : process.stdout);

  const { run, comparison } = options.compare
    ? await compareAll(options, configuration, digits, signal, screen)
    : await trainOne(options, configuration, digits, signal, screen);

  if (options.json)
    process.stdout.write(
      `${JSON.stringify(documentOf(configuration, run, comparison), null, 2)}\n`,
    );
  else if (comparison) printComparison(comparison, screen);
  else printSummary(run, digits.heldOut.pixels, screen);
  if (!options.json && backend.gpu !== undefined)
    screen.print("On a GPU that is the time to record its work, which the GPU does meanwhile.");
  if (options.report !== undefined) {
    await writeReport(options.report, { configuration, run, comparison, heldOut: digits.heldOut });
    screen.print(`The report is in ${options.report}.`);
  }
  return run.interrupted || comparison?.contenders.some((contender) => contender.run.interrupted)
    ? interruptedStatus
    : 0;
}

/** Starts the backend that was asked for. @throws {OptionsError} where it is a GPU, and there is none. */
async function chosenBackend({ backend }: Options): Promise<Backend> {
  try {
    return await useBackend(backend);
  } catch (error) {
    if (!(error instanceof GradstepError)) throw error;
    throw new OptionsError(`Got --backend ${backend}, which does not start: ${error.message}`);
  }
}

async function trainOne(
  options: Options,
  configuration: Configuration,
  digits: Digits,
  signal: AbortSignal,
  screen: Screen,
): Promise<Outcome> {
  const { optimizer, backend } = configuration;
  screen.print(screen.paint.bold(`gradstep's ${optimizer} on ${backend}, in the memory of TF.js`));
  screen.print(`${plan(configuration, screen)}\n`);
  const progress = progressOn(screen, options.epochs);
  const run = await train(
    gradstepOptimizer(options.optimizer, options.learningRate),
    digits,
    options,
    signal,
    progress,
  );
  progress.close();
  return { run };
}

async function compareAll(
  options: Options,
  configuration: Configuration,
  digits: Digits,
  signal: AbortSignal,
  screen: Screen,
): Promise<Outcome> {
  let progress: ReturnType<typeof progressOn> | undefined;
  screen.print(screen.paint.bold("gradstep's Adam and TF.js's own, in the same memory"));
  screen.print(plan(configuration, screen));
  const { backend: chosenName } = configuration;
  const comparison = await compare(digits, options, chosenName, signal, (maker, backend) => {
    screen.print(`\n${screen.paint.bold(`${maker}'s Adam on ${backend}`)}`);
    progress = progressOn(screen, options.epochs);
    return progress;
  });
  progress?.close();
  const chosen = comparison.contenders.find(
    ({ maker, backend }) => maker === "gradstep" && backend === chosenName,
  );
  return { run: (chosen ?? comparison.contenders[0]).run, comparison };
}

function plan(configuration: Configuration, { paint }: Screen): string {
  const { trainingDigits, layers, learningRate, epochs, batchSize, seed, gpu } = configuration;
  const device =
    gpu && (gpu.isSoftware ? `no GPU: ${gpu.description} computes, slowly` : gpu.description);
  return [
    ...(device === undefined ? [] : [device]),
    `${count(trainingDigits)} digits, ${layers.join("-")} units, ${count(parameterCount)} parameters`,
    `${count(epochs)} ${epochs === 1 ? "epoch" : "epochs"} in batches of ${batchSize}, learning rate ${learningRate}, seed ${seed}`,
  ]
    .map(paint.dim)
    .join("\n");
}

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const expected = error instanceof OptionsError;
  process.stderr.write(
    `${expected ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = expected ? 2 : 1;
}
