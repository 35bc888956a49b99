import {
  GradstepError,
  show,
  type GroupState,
  type OptimizerState,
  type Values,
} from "@gradstep/core";
import {
  checkCheckpointParts,
  torchSlots,
  toTorch,
  type CheckpointParts,
  type ParameterValues,
} from "@gradstep/core/interop";
import { checkIoOptions } from "../../check-io-options.js";
import { encodeSafetensors, type SafetensorsEntry } from "../../safetensors/index.js";
import { inTypeOf } from "./in-type-of.js";
import { entryOfOther, type OtherTensor } from "./other-tensors.js";
import type { TorchDescription } from "./torch-description.js";

/** What `writeTorch` writes. */
export interface TorchSource extends CheckpointParts {
  /** All parameters of the optimizer, by the names that they have in the model of PyTorch. */
  readonly parameters: Readonly<Record<string, ParameterValues>>;
  /** What else the model has, such as the buffers that `readTorch` has found. */
  readonly otherTensors?: Readonly<Record<string, OtherTensor>> | undefined;
}

/** Options of `writeTorch`. */
export interface WriteTorchOptions {
  /** Ends the write: it throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
}

/**
 * The bytes of a safetensors file that `load` of `scripts/bridges/torch_checkpoint.py` loads in PyTorch.
 *
 * The optimizer must do what one of PyTorch does: see `toTorch`. State in f64 is written as it is, if the parameter is
 * f64; otherwise all is f32. Frozen groups are written as parameters that do not require gradients.
 *
 * @throws {GradstepError} at the first chunk: `UNSUPPORTED`, with everything that PyTorch cannot do; `STATE_MISMATCH` if
 * the configuration, the state and the parameters do not belong together; `INVALID_PARAMETER`
 */
export async function* writeTorch(
  source: TorchSource,
  options: WriteTorchOptions = {},
): AsyncGenerator<Uint8Array> {
  checkIoOptions("writeTorch", options, ["signal", "onProgress"]);
  checkCheckpointParts("writeTorch", source);
  const { config, state, parameters, otherTensors = {} } = source;
  const description = describe(source);
  checkNames(state, parameters);
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [name, tensor] of Object.entries(otherTensors))
    tensors.set(`model.${name}`, entryOfOther(name, tensor));
  const names = torchSlots(config.name);
  state.groups.forEach((group) => {
    for (const name of group.parameters) {
      const { shape, values } = parameters[name];
      tensors.set(`model.${name}`, entryOf(shape, values));
      for (const [key, entry] of stateOf(name, group, source, names))
        tensors.set(`state.${name}.${key}`, entry);
    }
  });
  const metadata = new Map([
    ["format", "pt"],
    ["optimizer", JSON.stringify(description)],
  ]);
  yield* encodeSafetensors(tensors, { ...options, metadata });
}

function describe({ config, state, parameters }: TorchSource): TorchDescription {
  const { iterations, groups, rowCounts = {} } = state;
  const torch = toTorch(config, { iterations });
  const [counted] = Object.keys(rowCounts);
  if (counted !== undefined)
    throw new GradstepError(
      `${counted} has ${rowCounts[counted]} of ${state.shapes[counted][0]} rows, and PyTorch trains all; remap its rows with a number as count first.`,
      { code: "UNSUPPORTED" },
    );
  const { microSteps = 0 } = state.control ?? {};
  if (microSteps > 0) {
    throw new GradstepError(
      `${microSteps} accumulated gradients wait for the next step, and PyTorch has no place for them; save after a step.`,
      { code: "UNSUPPORTED" },
    );
  }
  const unfit = Object.keys(parameters).filter((name) => parameters[name].shape.length !== 2);
  if (torch.name === "Muon" && unfit.length > 0) {
    throw new GradstepError(
      `PyTorch's Muon takes matrices alone, and ${unfit.join(", ")} are not; train them with another optimizer.`,
      { code: "UNSUPPORTED" },
    );
  }
  return {
    version: 1,
    class: torch.name,
    param_groups: torch.paramGroups.flatMap((group, i) => {
      const { parameters: names } = groups[i];
      return names.length === 0 ? [] : [{ ...group, param_names: names }];
    }),
    frozen: groups.flatMap((group) => (group.frozen === true ? group.parameters : [])),
    scheduler: torch.scheduler ?? null,
    last_epoch: torch.scheduler === undefined ? null : iterations,
  };
}

/** @throws {GradstepError} `STATE_MISMATCH` */
function checkNames({ groups }: OptimizerState, parameters: TorchSource["parameters"]): void {
  const expected = new Set(groups.flatMap((group) => group.parameters));
  const missing = [...expected].filter((name) => !Object.hasOwn(parameters, name));
  const unknown = Object.keys(parameters).filter((name) => !expected.has(name));
  if (missing.length + unknown.length === 0) return;
  mismatch(
    `${missing.join(", ") || "none"} missing in the parameters, ${unknown.join(", ") || "none"} not in the state`,
  );
}

/** @throws {GradstepError} `STATE_MISMATCH` */
function mismatch(what: string): never {
  throw new GradstepError(
    `The parts of the checkpoint do not belong together: ${what}. Pass the config, the state and all parameters of one optimizer.`,
    { code: "STATE_MISMATCH" },
  );
}

/** What PyTorch has in `optimizer.state` of a parameter. */
function* stateOf(
  name: string,
  { iterations = 0, persistentScalars, hyperparameters, options }: GroupState,
  { state, parameters }: TorchSource,
  names: Readonly<Record<string, string>>,
): Generator<[string, SafetensorsEntry]> {
  const { shape, values } = parameters[name];
  const slots = state.slots[name] ?? {};
  // Without momentum, PyTorch has no buffer for it. SGD and Muon have none before the first step either, nor a count.
  const momentum = hyperparameters.momentum ?? state.hyperparameters.momentum;
  const isCounted = !["sgd", "muon"].includes(state.rule);
  if (isCounted) yield ["step", scalar(iterations)];
  for (const [key, slot] of Object.entries(names)) {
    if (!Object.hasOwn(slots, slot)) continue;
    if (key === "momentum_buffer" && (momentum === 0 || (!isCounted && iterations === 0))) continue;
    const own = shapeOf(key, shape);
    if (own !== undefined) yield [key, entryOf(own, inTypeOf(values, slots[slot]))];
  }
  const { product } = persistentScalars;
  if (product === undefined) return;
  const isLong = (options ?? state.options).productIn !== "f32";
  yield [
    "mu_product",
    isLong ? { dtype: "F64", shape: [], data: Float64Array.of(product) } : scalar(product),
  ];
}

/** The shape of an array in PyTorch; undefined if it has none for a parameter of this shape. */
function shapeOf(key: string, shape: readonly number[]): readonly number[] | undefined {
  const isVector = shape.length < 2;
  switch (key) {
    case "variance":
      return isVector ? shape : undefined;
    case "row_var":
      return isVector ? undefined : [...shape.slice(0, -1), 1];
    case "col_var":
      return isVector ? undefined : [...shape.slice(0, -2), 1, shape.at(-1)!];
    default:
      return shape;
  }
}

/** In f32 as PyTorch has it, unless that rounds it. */
function scalar(value: number): SafetensorsEntry {
  return Math.fround(value) === value
    ? { dtype: "F32", shape: [], data: Float32Array.of(value) }
    : { dtype: "F64", shape: [], data: Float64Array.of(value) };
}

function entryOf(shape: readonly number[], values: Values): SafetensorsEntry {
  if (values instanceof Float64Array) return { dtype: "F64", shape, data: values };
  if (values instanceof Float32Array) return { dtype: "F32", shape, data: values };
  return mismatch(`the values of a parameter are ${show(values)}`);
}
