// Plain JavaScript without dependencies, so that a command line can be checked before anything is installed or built.
import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { oneOf, OptionsError, programHelp, readOptions } from "../../shared/src/command-line.mjs";

export { OptionsError };

/**
 * @typedef {object} Options
 * @property {Processor} backend
 * @property {boolean} quick
 * @property {string | undefined} json The file to write, if any.
 * @property {readonly WorkloadName[]} workloads All, if none is given.
 * @property {string | undefined} native A program that measures the machine's own speed, if any.
 * @property {boolean} help
 */

export const processors = /** @type {const} */ (["cpu", "webgpu"]);

/**
 * Where contenders compute.
 * @typedef {(typeof processors)[number]} Processor
 */

export const workloadNames = /** @type {const} */ ([
  "scalars",
  "adam-1e3",
  "adam-1e5",
  "adam-1e6",
  "adam-1.6e7",
  "model",
  "chains",
  "accumulation",
  "language-model",
  "sparse",
  "sparse-1e6",
  "muon",
  "muon-1e6",
]);

/** @typedef {(typeof workloadNames)[number]} WorkloadName */

/** In the order of the help. */
const definitions = {
  backend: {
    value: "NAME",
    help: "where contenders compute: cpu, or webgpu on the GPU that Node finds (cpu)",
  },
  quick: { help: "fewer rounds, and without the largest workload" },
  json: { value: "FILE", help: "write the rows to a file" },
  workload: {
    value: "NAME",
    help: `only this one; can be given several times, or several names with commas: ${workloadNames.join(" ")}`,
  },
  native: {
    value: "PROGRAM",
    help: "also show the machine's own speed: run as PROGRAM SIZE ROUNDS 0, it prints a line of JSON per kernel, { name, N, threads, ns }",
  },
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
  const workloads = (given.get("workload") ?? [])
    .flatMap((value) => value.split(","))
    .map((name) => oneOf("workload", name, workloadNames));
  const backend = oneOf("backend", last("backend") ?? processors[0], processors);
  if (backend === "webgpu" && given.has("native")) {
    throw new OptionsError(
      "Got --native with --backend webgpu; expected one of them, because the program measures a CPU.",
    );
  }
  const options = {
    backend,
    quick: given.has("quick"),
    json: last("json"),
    workloads,
    native: last("native"),
    help: given.has("help"),
  };
  if (!options.help) checkFiles(options);
  return options;
}

/**
 * Rejects files that cannot be used, before minutes are spent on measuring.
 *
 * @param {Pick<Options, "json" | "native">} options
 */
function checkFiles({ json, native }) {
  if (json !== undefined && !isFileInFolder(json)) {
    throw new OptionsError(`Got --json ${json}; expected a file in a folder that exists.`);
  }
  if (native !== undefined && !isProgram(native)) {
    throw new OptionsError(`Got --native ${native}; expected a program that can be run.`);
  }
}

/** @param {string} path */
function isFileInFolder(path) {
  const folder = statSync(dirname(path), { throwIfNoEntry: false });
  return (
    folder?.isDirectory() === true && !statSync(path, { throwIfNoEntry: false })?.isDirectory()
  );
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
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
        "Measures gradstep's optimizers against hand-written loops and against TF.js. All contenders are first checked for correct results, then timed in turns in one process. Compare speedups, because times drift with the machine.",
      usage: "pnpm bench [options]",
      definitions,
    },
    screenColumns,
  );
}
