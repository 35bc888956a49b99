import { parseArgs } from "node:util";
import { count } from "../cli/options.js";
import { withNegativeValues } from "../cli/negative-values.js";
import { optionError } from "../cli/option-error.js";
import { UsageError } from "../cli/usage.js";
import type { Extent } from "./check-backend.js";

/** A parsed command line of `doctor`. */
export interface DoctorOptions extends Extent {
  readonly help: boolean;
  /** Names of backends; all if empty. */
  readonly backends: readonly string[];
  /** Whether to compare the backends with a loop. */
  readonly speed: boolean;
  /** The file to write the document to. */
  readonly json: string | undefined;
}

const optionNames = "--backend, --cases, --full, --no-speed, --seed, --json or --help";

/**
 * @param known the names of the backends
 * @throws {UsageError}
 */
export function parseDoctorOptions(
  args: readonly string[],
  known: readonly string[],
): DoctorOptions {
  const values = read(args);
  const backends = values.backend ?? [];
  const unknown = backends.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`Got --backend ${unknown}; expected one of ${known.join(", ")}.`);
  const full = values.full === true;
  return {
    help: values.help === true,
    backends,
    full,
    speed: values["no-speed"] !== true,
    json: values.json,
    cases: values.cases === undefined ? (full ? 50 : 8) : count("cases", values.cases, 1),
    seed: values.seed === undefined ? 1 : count("seed", values.seed, 0),
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: withNegativeValues(args),
      options: {
        backend: { type: "string", multiple: true },
        cases: { type: "string" },
        full: { type: "boolean" },
        json: { type: "string" },
        "no-speed": { type: "boolean" },
        seed: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw optionError(error, optionNames);
  }
}
