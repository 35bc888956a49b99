import { GradstepError, show } from "@gradstep/core";
import { jsonObjectOf } from "../metadata.js";
import type { OptaxOptimizer } from "./state-arrays.js";

/** The metadata of a file, which `optax_checkpoint.py` reads. */
export function metadataOf(optimizer: OptaxOptimizer, steps: number): ReadonlyMap<string, string> {
  return new Map([
    ["format", "optax"],
    ["version", "1"],
    ["optimizer", pythonJson(optimizer)],
    ["steps", String(steps)],
  ]);
}

const integers = new Set(["every_k_schedule", "max_consecutive_errors", "ns_steps"]);

/** JSON whose floating-point numbers have a point: Python takes 0 for an integer, and inject_hyperparams its type. */
function pythonJson(optimizer: OptaxOptimizer): string {
  const entries = Object.entries(optimizer).flatMap(([key, value]) => {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) return [];
    const isFloat = typeof value === "number" && !integers.has(key) && /^-?\d+$/.test(text);
    return [`${JSON.stringify(key)}: ${isFloat ? `${text}.0` : text}`];
  });
  return `{${entries.join(", ")}}`;
}

/** What the metadata says of the transformation. @throws {GradstepError} `INVALID_FILE`, `UNSUPPORTED` */
export function optimizerOf(metadata: ReadonlyMap<string, string>): OptaxOptimizer {
  const version = metadata.get("version");
  if (metadata.get("format") === "optax" && version !== "1")
    throw new GradstepError(
      `The file has version ${show(version)}; expected "1". Use a newer gradstep.`,
      { code: "UNSUPPORTED" },
    );
  const text = metadata.get("optimizer");
  if (text === undefined) {
    throw new GradstepError(
      'The file does not say what its optimizer is; expected optimizer in its metadata, or readOptax(source, { optimizer: { name: "adamw", learning_rate: 1e-3 } }).',
      { code: "UNSUPPORTED" },
    );
  }
  const expected = 'an object with a name, such as {"name": "adamw", "learning_rate": 0.001}';
  const optimizer = jsonObjectOf("optimizer", text, expected);
  if (typeof optimizer.name !== "string") {
    throw new GradstepError(
      `optimizer in the metadata of the file is ${text}; expected ${expected}.`,
      { code: "INVALID_FILE" },
    );
  }
  return optimizer as OptaxOptimizer;
}

/** The steps taken, for optimizers that do not count them. @throws {GradstepError} `INVALID_FILE` */
export function stepsOf(metadata: ReadonlyMap<string, string>): number | undefined {
  const text = metadata.get("steps");
  if (text === undefined) return undefined;
  const steps = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(steps)) return steps;
  throw new GradstepError(
    `steps in the metadata of the file is ${show(text)}; expected the number of steps taken.`,
    { code: "INVALID_FILE" },
  );
}
