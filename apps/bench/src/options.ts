import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

/** What `--backend` takes. */
export const processors = ["cpu", "webgpu"] as const;

/** Where contenders compute. */
export type Processor = (typeof processors)[number];

/** What the command line asks for. */
export interface Options {
  readonly backend: Processor;
  readonly quick: boolean;
  /** The file to write, if any. */
  readonly json: string | undefined;
  /** Workloads by name; all, if none is given. */
  readonly workloads: readonly string[];
  /** A program that measures the machine's own speed, if any. */
  readonly native: string | undefined;
  readonly help: boolean;
}

/** A command line that cannot be followed; the message is one line: what was got, what was expected. */
export class OptionsError extends Error {
  override readonly name = "OptionsError";
}

const values: Readonly<Record<string, string | undefined>> = {
  backend: "NAME",
  quick: undefined,
  json: "FILE",
  workload: "NAME",
  native: "PROGRAM",
  help: undefined,
};

/**
 * Reads a command line, without the program's name.
 * @param known the names that `--workload` takes.
 * @throws {OptionsError}
 */
export function parseOptions(args: readonly string[], known: readonly string[]): Options {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(values).map(
        ([name, value]) => [name, { type: value ? "string" : "boolean" }] as const,
      ),
    ),
    // Node's own complaints run over several lines and do not say what is there to choose from.
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string>();
  const workloads: string[] = [];
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      throw new OptionsError(`Got "${token.value}"; expected only options, such as --quick.`);
    }
    const { name, rawName, value } = token;
    if (!Object.hasOwn(values, name) || !rawName.startsWith("--")) {
      const names = Object.keys(values).join(" --");
      throw new OptionsError(`Got the unknown option ${rawName}; expected one of --${names}.`);
    }
    if (values[name] === undefined && value !== undefined) {
      throw new OptionsError(
        `Got ${rawName}=${value}; expected ${rawName} alone, it takes no value.`,
      );
    }
    if (values[name] !== undefined && (value === undefined || value === "")) {
      throw new OptionsError(
        `Got ${rawName} without a value; expected ${rawName} ${values[name]}.`,
      );
    }
    if (name === "workload") workloads.push(...value!.split(","));
    given.set(name, value ?? "");
  }
  const unknown = workloads.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new OptionsError(`Got --workload ${unknown}; expected one of ${known.join(", ")}.`);
  }
  const asked = given.get("backend") ?? "cpu";
  const backend = processors.find((name) => name === asked);
  if (backend === undefined) {
    throw new OptionsError(`Got --backend ${asked}; expected one of ${processors.join(", ")}.`);
  }
  if (backend === "webgpu" && given.has("native")) {
    throw new OptionsError(
      "Got --native with --backend webgpu; expected one of them: the program measures a CPU.",
    );
  }
  const options = {
    backend,
    quick: given.has("quick"),
    json: given.get("json"),
    workloads,
    native: given.get("native"),
    help: given.has("help"),
  };
  if (!options.help) checkFiles(options);
  return options;
}

/** Before minutes of measuring are lost. */
function checkFiles({ json, native }: Pick<Options, "json" | "native">): void {
  if (json !== undefined && !isFileIn(json)) {
    throw new OptionsError(`Got --json ${json}; expected a file in a folder that exists.`);
  }
  if (native !== undefined && !isProgram(native)) {
    throw new OptionsError(`Got --native ${native}; expected a program that can be run.`);
  }
}

function isFileIn(path: string): boolean {
  const folder = statSync(dirname(path), { throwIfNoEntry: false });
  return (
    folder?.isDirectory() === true && !statSync(path, { throwIfNoEntry: false })?.isDirectory()
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What `--help` prints. */
export function helpText(known: readonly string[]): string {
  return [
    "Measures gradstep's Adam against the loops people write and against TF.js. All contenders are",
    "judged first, then timed in turn in one process; compare ratios, times drift with the machine.",
    "",
    "Usage: pnpm bench [options]",
    "",
    "  --backend NAME     where contenders compute: cpu, or webgpu on the GPU that Node finds (cpu)",
    "  --quick            fewer rounds, and without the largest workload",
    "  --json FILE        write the rows to a file",
    "  --workload NAME    only this one; may be given again, or several with commas:",
    `                     ${known.join(" ")}`,
    "  --native PROGRAM   show the machine's own speed beside: called as PROGRAM SIZE ROUNDS 0, it",
    "                     prints a line of JSON for each kernel, { name, N, threads, ns }",
    "  --help             print this",
  ].join("\n");
}
