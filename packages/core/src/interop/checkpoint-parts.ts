import { optimizerByName } from "../by-name.js";
import { GradstepError, show } from "../errors.js";
import { hasNames } from "../argument-checks/has-names.js";
import { isArray } from "../argument-checks/is-array.js";
import { isInstance } from "../argument-checks/is-instance.js";
import { isPromise } from "../argument-checks/is-promise.js";
import { createOptimizer } from "../optimizer/create-optimizer.js";
import type { OptimizerConfig } from "../optimizer/optimizer.js";
import type { OptimizerState } from "../optimizer/state/optimizer-state.js";
import { propertyOf } from "../argument-checks/property-of.js";
import { backendWithoutValues } from "./backend-without-values.js";
import type { ParameterValues } from "./imported-checkpoint.js";

/** What is written for another library. */
export interface CheckpointParts {
  /** What `optimizer.config()` returned. */
  readonly config: OptimizerConfig;
  /** What `optimizer.state()` resolved to, at the same step. */
  readonly state: OptimizerState;
  readonly parameters: Readonly<Record<string, ParameterValues>>;
}

/**
 * Checks that a configuration and a state are of one optimizer at one step, and that parameters have their values.
 * @param what the function that got them, for the message
 * @throws {GradstepError} `STATE_MISMATCH`, with all that does not belong together; `INVALID_PARAMETER`
 */
export function checkCheckpointParts(what: string, parts: CheckpointParts): void {
  if (!hasNames(parts))
    throw mismatch(what, `got ${show(parts)}; expected { config, state, parameters }`);
  const { config, state, parameters } = parts;
  if (!hasNames(config) || typeof config.name !== "string")
    throw mismatch(what, `config is ${show(config)}; expected what optimizer.config() returned`);
  if (isPromise(state))
    throw mismatch(
      what,
      "state is a Promise; expected what it resolves to: await optimizer.state()",
    );
  if (!hasNames(state) || !hasNames(state.shapes))
    throw mismatch(what, `state is ${show(state)}; expected what optimizer.state() resolved to`);
  checkParameters(what, parameters);
  for (const [name, shape] of Object.entries(state.shapes)) {
    const given = Object.hasOwn(parameters, name) ? parameters[name].shape : shape;
    if (show(given) !== show(shape))
      throw mismatch(what, `${name} has the shape ${show(given)}, and ${show(shape)} in the state`);
  }
  checkState(what, config, state);
}

/** @throws {GradstepError} `INVALID_PARAMETER` */
function checkParameters(what: string, parameters: CheckpointParts["parameters"]): void {
  const expected = "{ shape, values } by name, with values as a Float32Array or Float64Array";
  if (!hasNames(parameters))
    throw invalid(what, `parameters is ${show(parameters)}; expected ${expected}`);
  for (const [name, one] of Object.entries(parameters)) {
    const shape = propertyOf(one, "shape");
    const values = propertyOf(one, "values");
    const isFloats = isInstance(values, Float32Array) || isInstance(values, Float64Array);
    if (!isLengths(shape) || !isFloats)
      throw invalid(what, `the parameter ${show(name)} is ${show(one)}; expected ${expected}`);
    const size = shape.reduce((product, length) => product * length, 1);
    if (size !== values.length)
      throw invalid(
        what,
        `the parameter ${show(name)} has ${values.length} values; expected ${size}, because its shape is ${show(shape)}`,
      );
  }
}

function isLengths(shape: unknown): shape is readonly number[] {
  return isArray(shape) && shape.every((length) => typeof length === "number");
}

/** The optimizer of the configuration must take the state. @throws {GradstepError} `STATE_MISMATCH` */
function checkState(what: string, config: OptimizerConfig, state: OptimizerState): void {
  const spec = optimizerByName(config);
  const backend = backendWithoutValues();
  const tensors = Object.fromEntries(
    Object.entries(state.shapes).map(([name, shape]) => [name, backend.tensor(shape)]),
  );
  try {
    createOptimizer(spec, tensors).restore(state);
  } catch (error) {
    if (!(error instanceof GradstepError)) throw error;
    const misfits = (error.misfits ?? []).map(
      ({ path, got, expected }) => `${path} is ${got} in the state, and ${expected} in the config`,
    );
    throw mismatch(what, misfits.slice(0, 20).join("; ") || error.message, error);
  }
}

function named(what: unknown): string {
  return typeof what === "string" ? what : show(what);
}

function mismatch(what: string, text: string, cause?: GradstepError): GradstepError {
  return new GradstepError(
    `${named(what)}: ${text}. Pass the config, the state and the parameters of one optimizer, all of the same step.`,
    {
      code: "STATE_MISMATCH",
      ...(cause !== undefined && { cause }),
      ...(cause?.misfits !== undefined && { misfits: cause.misfits }),
    },
  );
}

function invalid(what: string, text: string): GradstepError {
  return new GradstepError(`${named(what)}: ${text}.`, { code: "INVALID_PARAMETER" });
}
