import {
  GradstepError,
  list,
  type OptimizerConfig,
  type OptimizerSpec,
  type OptimizerState,
} from "@gradstep/core";
import {
  checkCheckpointParts,
  fromOptax,
  optaxOptionNames,
  toOptax,
  type CheckpointParts,
  type ParameterValues,
} from "@gradstep/core/interop";
import { checkIoOptions } from "../../check-io-options.js";
import { encodeSafetensors, type SafetensorsEntry } from "../../safetensors/index.js";
import { metadataOf } from "./optax-metadata.js";
import { isSchedule, stateArrays, type OptaxOptimizer } from "./state-arrays.js";
import { floatEntry, stateEntry } from "./state-entries.js";

/** What `writeOptax` writes. */
export interface OptaxSource extends CheckpointParts {
  /** By the paths that they have in JAX, such as `dense.kernel`. */
  readonly parameters: Readonly<Record<string, ParameterValues>>;
}

/** Options of `writeOptax`. */
export interface WriteOptaxOptions {
  /**
   * The name of the transformation, where several do the same and have different states, such as
   * `"inject_hyperparams+adam"`. Found if left out: an alias, with what stands before and after it.
   */
  readonly name?: string | undefined;
  /** Ends the write: the generator throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
}

/**
 * Writes a checkpoint that `load` of `scripts/bridges/optax_checkpoint.py` loads in JAX, and `readOptax` here. Its
 * metadata says which optimizer of Optax to make, with all arguments. Arrays are f64 if a parameter is, f32 otherwise.
 *
 * @throws {GradstepError} at the first chunk: `UNSUPPORTED`, with everything that Optax cannot do; `STATE_MISMATCH` if the
 * configuration, the state and the parameters do not belong together; `INVALID_PARAMETER`
 */
export async function* writeOptax(
  source: OptaxSource,
  options: WriteOptaxOptions = {},
): AsyncGenerator<Uint8Array> {
  checkIoOptions("writeOptax", options, ["name", "signal", "onProgress"]);
  const { name, ...encoding } = options;
  checkCheckpointParts("writeOptax", source);
  const { config, state, parameters } = source;
  const optax = toOptax(config, { name });
  checkState(state, parameters);
  const optimizer: OptaxOptimizer = { name: optax.name, ...optax.options };
  const groupOf = (parameter: string): number =>
    state.groups.findIndex((group) => group.parameters.includes(parameter));
  if (optax.name.split("+").includes("muon")) checkMatrices(state);
  const arrays = stateArrays(optimizer, {
    shapes: state.shapes,
    groupOf,
    injectedAt: (_, part) => injectedOptions(optimizer, part),
  });
  const isDouble = Object.values(parameters).some(({ values }) => values instanceof Float64Array);
  const spec = fromOptax(optax.name, optax.options);
  const input = { state, spec, optimizer, isDouble, velocityFactor: velocityFactor(config, spec) };
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [parameter, { shape, values }] of Object.entries(parameters))
    tensors.set(`params.${parameter}`, floatEntry(values, shape, isDouble));
  for (const array of arrays) tensors.set(array.path, stateEntry(array, input));
  yield* encodeSafetensors(tensors, {
    ...encoding,
    metadata: metadataOf(optimizer, state.iterations),
  });
}

/** @throws {GradstepError} `STATE_MISMATCH`, `UNSUPPORTED` */
function checkState(
  { shapes, groups, iterations, control, rowSteps, rowCounts }: OptimizerState,
  parameters: OptaxSource["parameters"],
): void {
  const missing = Object.keys(shapes).filter((name) => !Object.hasOwn(parameters, name));
  const unknown = Object.keys(parameters).filter((name) => !Object.hasOwn(shapes, name));
  if (missing.length + unknown.length > 0) {
    throw new GradstepError(
      `The parameters lack ${list(missing)}, and have ${list(unknown)}, which the state does not have; expected those of the state.`,
      { code: "STATE_MISMATCH" },
    );
  }
  const misfits: string[] = [];
  groups.forEach((group, i) => {
    if (group.parameters.length > 0 && (group.iterations ?? iterations) !== iterations)
      misfits.push(
        `group ${i} has taken ${group.iterations} of ${iterations} steps; a chain of Optax counts the steps of all parameters together`,
      );
    if (group.frozen === true) misfits.push(`group ${i} is frozen; use optax.multi_transform`);
  });
  if (rowSteps !== undefined) misfits.push("rowSteps: Optax does not count the steps of rows");
  for (const [parameter, count] of Object.entries(rowCounts ?? {}))
    misfits.push(
      `${parameter} has ${count} of ${shapes[parameter][0]} rows, and Optax trains all; remap its rows with a number as count first`,
    );
  if (Object.keys(control?.rows ?? {}).length > 0 && control!.microSteps > 0)
    misfits.push("gradients of rows are accumulated; save after a step");
  if (misfits.length > 0)
    throw new GradstepError(`Optax cannot continue this state: ${misfits.join("; ")}.`, {
      code: "UNSUPPORTED",
    });
}

/** Optax's Muon updates all matrices, and its AdamW everything else. @throws {GradstepError} `UNSUPPORTED` */
function checkMatrices({ groups, shapes }: OptimizerState): void {
  const others = groups.flatMap(({ parameters }, i) =>
    parameters.filter((name) => (shapes[name].length === 2) !== (i === 0)),
  );
  if (others.length > 0)
    throw new GradstepError(
      `Optax's muon updates matrices and no other parameters; here, that is not so for ${others.join(", ")}. Train with what fromOptax("muon", { … }) returns.`,
      { code: "UNSUPPORTED" },
    );
}

/** The options of a part that `inject_hyperparams` keeps in the state: numbers, and schedules. */
function injectedOptions(optimizer: OptaxOptimizer, part: string): readonly string[] {
  return optaxOptionNames(part).filter(
    (option) => typeof optimizer[option] === "number" || isSchedule(optimizer[option]),
  );
}

/** What velocities are multiplied by, where the rates are in those of one of the two and not in the other. */
function velocityFactor({ name, settings }: OptimizerConfig, { options }: OptimizerSpec): number {
  if (settings.momentum === 0 || settings.momentumForm === options.momentumForm) return 1;
  const rate = settings.learningRate as number;
  const factor = name.split("+").includes("sgd") ? 1 / rate : rate;
  if (Number.isFinite(factor) && factor > 0) return factor;
  throw new GradstepError(
    `The learning rate is ${rate}, and Optax's velocities are those of gradstep divided by it; expected a positive rate.`,
    { code: "UNSUPPORTED" },
  );
}
