import { GradstepError, show, type Values } from "@gradstep/core";
import { fromTorch, torchSlots, type ParameterValues } from "@gradstep/core/interop";
import { floatValues, type SafetensorsEntry } from "../../safetensors/index.js";
import { invalid, isCount, type TorchDescription } from "./torch-description.js";

/** What PyTorch has in `optimizer.state` of one parameter. */
export interface TorchParameterState {
  /** The steps it has taken; undefined if PyTorch does not count them, or has no state of it. */
  readonly steps: number | undefined;
  /** NAdam's product of momenta, and the type in which PyTorch multiplies it. */
  readonly product: number | undefined;
  readonly productIn: "f32" | "f64" | undefined;
  /** By their names here. */
  readonly slots: Readonly<Record<string, Values>>;
}

/**
 * The state of each parameter of the optimizer.
 * @throws {GradstepError} `INVALID_FILE`, `UNSUPPORTED` for entries without counterpart
 */
export function parameterStates(
  { class: name }: TorchDescription,
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  parameters: Readonly<Record<string, ParameterValues>>,
): ReadonlyMap<string, TorchParameterState> {
  const entries = new Map<string, Map<string, SafetensorsEntry>>(
    Object.keys(parameters).map((parameter) => [parameter, new Map()]),
  );
  for (const [key, entry] of tensors) {
    if (!key.startsWith("state.")) continue;
    const end = key.lastIndexOf(".");
    const own = entries.get(key.slice("state.".length, end));
    if (own === undefined) invalid(`${key} belongs to no parameter of the optimizer`);
    own.set(key.slice(end + 1), entry);
  }
  const slots = torchSlots(fromTorch(name).rule.name);
  return new Map(
    [...entries].map(([parameter, own]) => [parameter, stateOf(parameter, own, slots)]),
  );
}

function stateOf(
  parameter: string,
  entries: ReadonlyMap<string, SafetensorsEntry>,
  names: Readonly<Record<string, string>>,
): TorchParameterState {
  const slots: Record<string, Values> = {};
  const unknown: string[] = [];
  for (const [key, entry] of entries) {
    if (key === "step" || key === "mu_product") continue;
    if (!Object.hasOwn(names, key)) {
      unknown.push(key);
      continue;
    }
    slots[names[key]] = floatValues(entry);
    // A vector is one column here, which has an average, too; PyTorch does not need it.
    if (key === "variance") slots.c = meanOf(slots.r);
  }
  if (unknown.length > 0) {
    throw new GradstepError(
      `The state of ${parameter} has ${unknown.join(", ")}; expected ${["step", ...Object.keys(names)].join(", ")}.`,
      { code: "UNSUPPORTED" },
    );
  }
  const step = entries.get("step");
  const product = entries.get("mu_product");
  const steps = step && scalarOf(`step of ${parameter}`, step);
  if (steps !== undefined && !isCount(steps))
    invalid(`step of ${parameter} is ${show(steps)}; expected a number of steps`);
  return {
    steps,
    product: product && scalarOf(`mu_product of ${parameter}`, product),
    productIn: product && (product.dtype === "F64" ? "f64" : "f32"),
    slots,
  };
}

function scalarOf(what: string, entry: SafetensorsEntry): number {
  const { length, 0: value } = entry.data;
  if (length !== 1) invalid(`${what} has ${length} values; expected 1`);
  return typeof value === "bigint" ? Number(value) : floatValues(entry)[0];
}

function meanOf(values: Values): Values {
  const Array = values instanceof Float64Array ? Float64Array : Float32Array;
  let sum = 0;
  for (const value of values) sum += value;
  return Array.of(sum / values.length);
}
