import { GradstepError, show, type OptimizerState } from "@gradstep/core";
import { floatValues, type SafetensorsEntry } from "../../safetensors/index.js";
import type { StateArray } from "./state-arrays.js";
import type { CountContent } from "./state-structures.js";

/** What the paths of parameters start with. */
export const parameterRoot = "params.";

/** The types that become f32 or f64. */
export const floatTypes: ReadonlySet<string> = new Set(["F64", "F32", "F16", "BF16"]);
const integerTypes: ReadonlySet<string> = new Set(["I64", "I32", "U64", "U32"]);

/**
 * Checks that a file has these arrays, and no others but the parameters.
 * @param name of the optimizer
 * @throws {GradstepError} `STATE_MISMATCH`, with everything that does not fit
 */
export function checkArrays(
  name: string,
  arrays: readonly StateArray[],
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  initial: OptimizerState,
): void {
  const misfits = misfitsOf(arrays, tensors, initial);
  if (misfits.length === 0) misfits.push(...countMisfits(arrays, tensors));
  if (misfits.length === 0) return;
  const shown = misfits.slice(0, 20).join("; ");
  const rest = misfits.length > 20 ? `; and ${misfits.length - 20} more` : "";
  throw new GradstepError(
    `The file does not have the state of Optax's ${show(name)}: ${shown}${rest}. Name the transformation that the state belongs to, with all its options.`,
    { code: "STATE_MISMATCH" },
  );
}

function misfitsOf(
  arrays: readonly StateArray[],
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  initial: OptimizerState,
): string[] {
  const known = new Set(arrays.map(({ path }) => path));
  const unknown = [...tensors.keys()].filter(
    (path) => !known.has(path) && !path.startsWith(parameterRoot),
  );
  return [
    ...arrays.flatMap((array) => {
      const entry = tensors.get(array.path);
      if (entry === undefined) return [`${array.path} is missing`];
      const what = `${array.path} is ${entry.dtype} [${entry.shape.join(", ")}]`;
      const expected = expectedTypes(array);
      if (entry.shape.join() !== array.shape.join() || !expected.types.has(entry.dtype))
        return [`${what}; expected ${expected.name} [${array.shape.join(", ")}]`];
      return constantMisfits(array, entry, initial);
    }),
    ...unknown.map((path) =>
      path.includes(".hyperparams.")
        ? `${path} is of inject_hyperparams, which is not in the name: expected such as inject_hyperparams+adam`
        : `${path} is unknown to it`,
    ),
  ];
}

function expectedTypes({ content: { holds } }: StateArray): {
  readonly name: string;
  readonly types: ReadonlySet<string>;
} {
  if (holds === "isLastFinite") return { name: "BOOL", types: new Set(["BOOL"]) };
  if (holds === "hyperparameter")
    return { name: "a number", types: new Set([...floatTypes, ...integerTypes]) };
  return holds === "count"
    ? { name: "integers", types: integerTypes }
    : { name: "floats", types: floatTypes };
}

function constantMisfits(
  { path, content }: StateArray,
  entry: SafetensorsEntry,
  { hyperparameters }: OptimizerState,
): string[] {
  if (content.holds !== "constants") return [];
  const values = floatValues(entry);
  const wanted = content.names.map((name) => hyperparameters[name] as number);
  const isSame = wanted.every((one, i) => Math.abs(one - values[i]) <= 1e-6 * Math.abs(one));
  return isSame ? [] : [`${path} is ${values.join(", ")}; its options say ${wanted.join(", ")}`];
}

/** All counts of steps agree. */
function countMisfits(
  arrays: readonly StateArray[],
  tensors: ReadonlyMap<string, SafetensorsEntry>,
): string[] {
  const found = arrays.flatMap(({ path, content }) =>
    content.holds === "count" && content.of === "steps"
      ? [{ path, steps: countOf(content, tensors.get(path)!) }]
      : [],
  );
  const other = found.find(({ steps }) => steps !== found[0].steps);
  return other === undefined
    ? []
    : [`${found[0].path} says ${found[0].steps} steps, and ${other.path} ${other.steps}`];
}

/** What a count is here. */
export function countOf({ first }: CountContent, { data }: SafetensorsEntry): number {
  return Number(data[0]) - first;
}
