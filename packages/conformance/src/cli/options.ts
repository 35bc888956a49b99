import { parseArgs } from "node:util";
import { roundToNearest, wgsl, type ErrorModel } from "../bounds/error-model.js";
import { withNegativeValues } from "./negative-values.js";
import { optionError } from "./option-error.js";
import { UsageError } from "./usage.js";

/** A parsed command line. */
export interface Options {
  readonly command: "verify" | "golden" | "mutants" | "help";
  /** The arguments after the command. */
  readonly targets: readonly string[];
  readonly backend: string | undefined;
  /** Files of `--rule`. */
  readonly rules: readonly string[];
  /** The groups of checks to run; all if undefined. */
  readonly groups: readonly string[] | undefined;
  /** How many mutants to run; all if undefined. */
  readonly sample: number | undefined;
  readonly cases: number | undefined;
  /** The most kernels per rule; as many as suit the backend if undefined. */
  readonly kernels: number | undefined;
  readonly seed: number;
  /** How many times the checks run, each time with the next seed. */
  readonly rounds: number;
  readonly model: ErrorModel | undefined;
  readonly json: boolean;
}

/** How many arguments each command takes, and its options besides `--json` and `--help`. */
const commands = {
  verify: {
    min: 1,
    max: 1,
    what: "a backend",
    options: ["rule", "group", "cases", "kernels", "seed", "rounds", "model"],
  },
  golden: { min: 1, max: Infinity, what: "at least one file", options: ["backend", "model"] },
  mutants: {
    min: 0,
    max: 0,
    what: "nothing",
    options: ["sample", "group", "cases", "seed", "model"],
  },
} as const;

/** @throws {UsageError} */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = read(args);
  const [name, ...targets] = positionals;
  const shared = {
    targets,
    backend: undefined,
    rules: [],
    groups: undefined,
    sample: undefined,
    cases: undefined,
    kernels: undefined,
    seed: 1,
    rounds: 1,
    model: undefined,
    json: false,
  };
  if (values.help === true || name === "help") return { command: "help", ...shared };
  if (name !== "verify" && name !== "golden" && name !== "mutants") {
    throw new UsageError(
      `Got ${name === undefined ? "no command" : `command "${name}"`}; expected verify, golden or mutants (--help says more).`,
    );
  }
  const { min, max, what, options } = commands[name];
  if (targets.length < min || targets.length > max) {
    const got = targets.length === 0 ? "nothing" : targets.map((one) => `"${one}"`).join(" ");
    throw new UsageError(`${name} got ${got}; expected ${what}.`);
  }
  for (const option of [
    "backend",
    "rule",
    "group",
    "sample",
    "cases",
    "kernels",
    "seed",
    "rounds",
    "model",
  ] as const) {
    if (values[option] !== undefined && !(options as readonly string[]).includes(option)) {
      throw new UsageError(
        `Got --${option} for ${name}; expected ${[...options, "json"].map((one) => `--${one}`).join(", ")}.`,
      );
    }
  }
  if (name === "golden" && values.model !== undefined && values.backend === undefined)
    throw new UsageError("golden got --model without --backend; expected both, or neither.");
  return {
    command: name,
    targets,
    backend: values.backend,
    rules: values.rule ?? [],
    groups: values.group,
    sample: values.sample === undefined ? undefined : count("sample", values.sample, 1),
    cases: values.cases === undefined ? undefined : count("cases", values.cases, 1),
    kernels: values.kernels === undefined ? undefined : count("kernels", values.kernels, 1),
    seed: values.seed === undefined ? 1 : count("seed", values.seed, 0),
    rounds: values.rounds === undefined ? 1 : count("rounds", values.rounds, 1),
    model: values.model === undefined ? undefined : modelOf(values.model),
    json: values.json === true,
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: withNegativeValues(args),
      allowPositionals: true,
      options: {
        backend: { type: "string" },
        rule: { type: "string", multiple: true },
        group: { type: "string", multiple: true },
        sample: { type: "string" },
        cases: { type: "string" },
        kernels: { type: "string" },
        seed: { type: "string" },
        rounds: { type: "string" },
        model: { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw optionError(
      error,
      "--backend, --rule, --group, --sample, --cases, --kernels, --seed, --rounds, --model, --json or --help",
    );
  }
}

/** The integer that an option has as its text. @throws {UsageError} */
export function count(option: string, text: string, min: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min)
    throw new UsageError(`Got --${option} "${text}"; expected an integer of at least ${min}.`);
  return value;
}

function modelOf(text: string): ErrorModel {
  if (text === "round-to-nearest") return roundToNearest;
  if (text === "wgsl") return wgsl;
  throw new UsageError(`Got --model "${text}"; expected round-to-nearest or wgsl.`);
}
