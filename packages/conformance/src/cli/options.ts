import { parseArgs } from "node:util";
import { roundToNearest, wgsl, type ErrorModel } from "../bounds/model.js";
import { UsageError } from "./usage.js";

/** A command line, understood. */
export interface Options {
  readonly command: "verify" | "golden" | "mutants" | "help";
  /** What stands after the command. */
  readonly targets: readonly string[];
  readonly backend: string | undefined;
  readonly cases: number | undefined;
  readonly seed: number;
  readonly model: ErrorModel | undefined;
  readonly json: boolean;
}

/** How many targets each command takes, and the options it has beside `--json` and `--help`. */
const commands = {
  verify: { least: 1, most: 1, what: "a backend", options: ["cases", "seed", "model"] },
  golden: { least: 1, most: Infinity, what: "at least one file", options: ["backend", "model"] },
  mutants: { least: 0, most: 0, what: "nothing", options: ["cases", "seed", "model"] },
} as const;

/** @throws {UsageError} */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = read(args);
  const [name, ...targets] = positionals;
  const shared = {
    targets,
    backend: undefined,
    cases: undefined,
    seed: 1,
    model: undefined,
    json: false,
  };
  if (values.help === true || name === "help") return { command: "help", ...shared };
  if (name !== "verify" && name !== "golden" && name !== "mutants") {
    throw new UsageError(
      `Got ${name === undefined ? "no command" : `command "${name}"`}; expected verify, golden or mutants (--help says more).`,
    );
  }
  const { least, most, what, options } = commands[name];
  if (targets.length < least || targets.length > most) {
    const got = targets.length === 0 ? "nothing" : targets.map((one) => `"${one}"`).join(" ");
    throw new UsageError(`${name} got ${got}; expected ${what}.`);
  }
  for (const option of ["backend", "cases", "seed", "model"] as const) {
    if (values[option] !== undefined && !(options as readonly string[]).includes(option)) {
      throw new UsageError(
        `Got --${option} for ${name}; expected ${[...options, "json"].map((one) => `--${one}`).join(", ")}.`,
      );
    }
  }
  return {
    command: name,
    targets,
    backend: values.backend,
    cases: values.cases === undefined ? undefined : count("cases", values.cases, 1),
    seed: values.seed === undefined ? 1 : count("seed", values.seed, 0),
    model: values.model === undefined ? undefined : modelOf(values.model),
    json: values.json === true,
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        backend: { type: "string" },
        cases: { type: "string" },
        seed: { type: "string" },
        model: { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    // Its messages start with what was got; the rest of them is advice on "--".
    const [first] = (error instanceof Error ? error.message : String(error)).split(/\.\s/);
    throw new UsageError(
      `${first}; expected --backend, --cases, --seed, --model, --json or --help.`,
    );
  }
}

function count(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw new UsageError(`Got --${option} "${text}"; expected an integer of at least ${least}.`);
  return value;
}

function modelOf(text: string): ErrorModel {
  if (text === "round-to-nearest") return roundToNearest;
  if (text === "wgsl") return wgsl;
  throw new UsageError(`Got --model "${text}"; expected round-to-nearest or wgsl.`);
}
