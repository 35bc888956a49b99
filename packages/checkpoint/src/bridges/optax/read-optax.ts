import { GradstepError, show, type OptimizerSpec } from "@gradstep/core";
import {
  fromOptax,
  initialState,
  type ImportedCheckpoint,
  type ParameterValues,
} from "@gradstep/core/interop";
import { checkIoOptions } from "../../check-io-options.js";
import { decodeSafetensors, floatValues, type SafetensorsEntry } from "../../safetensors/index.js";
import type { ByteSource } from "../../stores/store.js";
import { checkReader } from "../check-reader.js";
import { isSchedule, stateArrays, type OptaxOptimizer } from "./state-arrays.js";
import { checkArrays, floatTypes, parameterRoot } from "./array-checks.js";
import { optimizerOf, stepsOf } from "./optax-metadata.js";
import { stateFrom } from "./state-from-arrays.js";

/** Options of `readOptax`. */
export interface ReadOptaxOptions {
  /** What the transformation is; needed if the file does not say it, and used in its place if it does. */
  readonly optimizer?: OptaxOptimizer | undefined;
  /** Ends the read: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
}

/**
 * Reads a checkpoint that `save` of `scripts/bridges/optax_checkpoint.py` has written in JAX, or `writeOptax` here.
 *
 * Parameters are named by their paths, such as `dense.kernel`. Arrays in f16 and bf16 (of `mu_dtype`, say) become f32,
 * exactly; gradstep keeps them in f32 from then on. Hyperparameters that `inject_hyperparams` keeps in the state are
 * those of the state, unless they follow schedules.
 *
 * @throws {GradstepError} `INVALID_FILE`; `UNSUPPORTED` for what gradstep cannot continue, or if nothing says what the
 * transformation is; `STATE_MISMATCH`, with all arrays that do not fit; `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`; and
 * what `fromOptax` throws
 */
export async function readOptax(
  source: ByteSource | Uint8Array | ArrayBuffer,
  options: ReadOptaxOptions = {},
): Promise<ImportedCheckpoint> {
  checkIoOptions("readOptax", options, ["optimizer", "signal", "onProgress"]);
  const { optimizer: given, ...decoding } = options;
  if (given !== undefined && typeof given?.name !== "string")
    throw new GradstepError(
      `readOptax: optimizer is ${show(given)}; expected its name and options, such as { name: "adamw", learning_rate: 1e-3 }.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  const { metadata, tensors } = await decodeSafetensors(source, decoding);
  checkReader("readOptax", metadata);
  const named = given ?? optimizerOf(metadata);
  // Throws if there is no such optimizer.
  specOf(named);
  const optimizer = withInjected(named, tensors);
  const spec = specOf(optimizer);
  const parameters = parametersOf(tensors);
  const shapes = Object.fromEntries(
    Object.entries(parameters).map(([parameter, { shape }]) => [parameter, shape]),
  );
  const initial = await initialState(spec, shapes);
  const arrays = stateArrays(optimizer, {
    shapes,
    groupOf: (parameter) =>
      initial.groups.findIndex((group) => group.parameters.includes(parameter)),
    injectedAt: (path) => injectedAt(path, tensors),
  });
  checkArrays(optimizer.name, arrays, tensors, initial);
  return { spec, parameters, state: stateFrom(initial, arrays, tensors, stepsOf(metadata)) };
}

function specOf({ name, ...options }: OptaxOptimizer): OptimizerSpec {
  return fromOptax(name, options);
}

function parametersOf(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
): Readonly<Record<string, ParameterValues>> {
  const found = [...tensors].filter(([path]) => path.startsWith(parameterRoot));
  const wrong = found.filter(([, { dtype }]) => !floatTypes.has(dtype));
  if (found.length === 0 || wrong.length > 0) {
    throw new GradstepError(
      found.length === 0
        ? "The file has no arrays whose names start with params.; expected what save() of scripts/bridges/optax_checkpoint.py has written."
        : `${wrong[0][0]} is ${wrong[0][1].dtype}; expected floating-point numbers. Leave other arrays out of the parameters.`,
      { code: "INVALID_FILE" },
    );
  }
  return Object.fromEntries(
    found.map(([path, entry]) => [
      path.slice(parameterRoot.length),
      { shape: entry.shape, values: floatValues(entry) },
    ]),
  );
}

/** The hyperparameters that the state has at this path. */
function injectedAt(
  path: string,
  tensors: ReadonlyMap<string, SafetensorsEntry>,
): readonly string[] {
  const root = `${path}.hyperparams.`;
  return [...tensors.keys()].flatMap((key) =>
    key.startsWith(root) ? [key.slice(root.length)] : [],
  );
}

/** The optimizer with the hyperparameters of the state, where they do not follow schedules. */
function withInjected(
  optimizer: OptaxOptimizer,
  tensors: ReadonlyMap<string, SafetensorsEntry>,
): OptaxOptimizer {
  const options: Record<string, unknown> = { ...optimizer };
  const input = {
    shapes: {},
    groupOf: () => 0,
    injectedAt: (path: string) => injectedAt(path, tensors),
  };
  for (const { path, content } of stateArrays(optimizer, input)) {
    if (content.holds !== "hyperparameter" || isSchedule(optimizer[content.option])) continue;
    const entry = tensors.get(path)!;
    const [value] = floatTypes.has(entry.dtype) ? floatValues(entry) : entry.data;
    options[content.option] = Number(value);
  }
  return { ...options, name: optimizer.name };
}
