import { parseArgs } from "node:util";
import { optimizerNames, suitableRate } from "./optimizers.js";
import { type BackendChoice, backendChoices } from "./tfjs.js";

export interface Options {
  readonly optimizer: string;
  readonly learningRate: number;
  readonly epochs: number;
  /** Digits in a step. */
  readonly batchSize: number;
  readonly backend: BackendChoice;
  readonly seed: number;
  readonly compare: boolean;
  readonly json: boolean;
  /** The HTML file to write, if any. */
  readonly report: string | undefined;
  readonly help: boolean;
}

/** A command line that cannot be followed; the message is one line: what was got, what was expected. */
export class OptionsError extends Error {
  override readonly name = "OptionsError";
}

interface Option {
  readonly option: keyof Options;
  /** How the help names its value; a switch has none. */
  readonly value?: string;
  readonly help: string;
}

/** `--compare` runs four trainings or six, two of them on TF.js's plain JS. */
const defaultEpochs = { alone: 8, compared: 2 };

/** In the order of the help. */
const options: Record<string, Option> = {
  optimizer: { option: "optimizer", value: "NAME", help: `${optimizerNames.join(" ")} (adam)` },
  "learning-rate": {
    option: "learningRate",
    value: "RATE",
    help: `at the first step, falls from there (${suitableRate("adam")} for adam)`,
  },
  epochs: {
    option: "epochs",
    value: "COUNT",
    help: `passes over the training digits (${defaultEpochs.alone}; with --compare ${defaultEpochs.compared})`,
  },
  "batch-size": { option: "batchSize", value: "COUNT", help: "digits in a step (64)" },
  backend: {
    option: "backend",
    value: "NAME",
    help: `where gradstep and TF.js compute, in the same memory: ${backendChoices.join(" ")} (${backendChoices[0]})`,
  },
  seed: { option: "seed", value: "NUMBER", help: "the same seed gives the same run (1)" },
  compare: { option: "compare", help: "train with TF.js's own Adam and on wasm and cpu-js, too" },
  json: { option: "json", help: "print one JSON document instead" },
  report: {
    option: "report",
    value: "FILE",
    help: "write an HTML report with curves and a confusion matrix",
  },
  help: { option: "help", help: "print this" },
};

/** Reads a command line, without the program's name. Throws an `OptionsError`. */
export function parseOptions(args: readonly string[]): Options {
  const given = new Map<string, string>();
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(
        ([name, { value }]) => [name, { type: value ? "string" : "boolean" }] as const,
      ),
    ),
    // Node's own complaints run over several lines and do not say what is there to choose from.
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      throw new OptionsError(`Got "${token.value}"; expected only options, such as --epochs 5.`);
    }
    const known = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (!known || !token.rawName.startsWith("--")) {
      throw new OptionsError(
        `Got the unknown option ${token.rawName}; expected one of --${Object.keys(options).join(" --")}.`,
      );
    }
    if (known.value === undefined && token.value !== undefined) {
      throw new OptionsError(
        `Got ${token.rawName}=${token.value}; expected ${token.rawName} alone, it takes no value.`,
      );
    }
    if (known.value !== undefined && (token.value === undefined || token.value === "")) {
      throw new OptionsError(
        `Got ${token.rawName} without a value; expected ${token.rawName} ${known.value}.`,
      );
    }
    given.set(token.name, token.value ?? "");
  }
  return read(given);
}

function read(given: ReadonlyMap<string, string>): Options {
  const compare = given.has("compare");
  const optimizer = oneOf(given, "optimizer", optimizerNames, "adam");
  if (compare && optimizer !== "adam") {
    throw new OptionsError(
      `Got --optimizer ${optimizer} with --compare; expected adam, the optimizer that TF.js has as well.`,
    );
  }
  return {
    optimizer,
    learningRate: positive(given, "learning-rate", suitableRate(optimizer)),
    epochs: whole(given, "epochs", 1, 1000, compare ? defaultEpochs.compared : defaultEpochs.alone),
    batchSize: whole(given, "batch-size", 1, 8000, 64),
    backend: oneOf(given, "backend", backendChoices, backendChoices[0]),
    seed: whole(given, "seed", 0, 2 ** 32 - 1, 1),
    compare,
    json: given.has("json"),
    report: given.get("report"),
    help: given.has("help"),
  };
}

function oneOf<Name extends string>(
  given: ReadonlyMap<string, string>,
  option: string,
  names: readonly Name[],
  otherwise: Name,
): Name {
  const value = given.get(option);
  if (value === undefined) return otherwise;
  const found = names.find((name) => name === value);
  if (found === undefined)
    throw new OptionsError(`Got --${option} ${value}; expected one of ${names.join(", ")}.`);
  return found;
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function positive(given: ReadonlyMap<string, string>, option: string, otherwise: number): number {
  const value = given.get(option);
  if (value === undefined) return otherwise;
  const number = decimal.test(value) ? Number(value) : Number.NaN;
  if (!(number > 0 && number < Infinity)) {
    throw new OptionsError(`Got --${option} ${value}; expected a number above 0, such as 0.001.`);
  }
  return number;
}

function whole(
  given: ReadonlyMap<string, string>,
  option: string,
  least: number,
  most: number,
  otherwise: number,
): number {
  const value = given.get(option);
  if (value === undefined) return otherwise;
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most)) {
    throw new OptionsError(
      `Got --${option} ${value}; expected a whole number from ${least} to ${most}.`,
    );
  }
  return number;
}

/** What `--help` prints. */
export function helpText(): string {
  const rows = Object.entries(options).map(
    ([name, { value, help }]) => [`--${name}${value ? ` ${value}` : ""}`, help] as const,
  );
  const width = Math.max(...rows.map(([usage]) => usage.length));
  const indent = " ".repeat(width + 4);
  return [
    "Trains a network on 8,000 handwritten digits with gradstep's optimizers and",
    "tries it on 2,000 others.",
    "",
    "Usage: npm start -- [options]",
    "",
    ...rows.map(
      ([usage, help]) =>
        `  ${usage.padEnd(width)}  ${wrap(help, 80 - indent.length).join(`\n${indent}`)}`,
    ),
    "",
    "Ctrl-C stops after the current batch and shows what there is; twice ends at once.",
  ].join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines;
}
