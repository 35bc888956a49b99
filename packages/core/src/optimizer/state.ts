import type { Values } from "../backend/backend.js";
import { GradstepError, list, show } from "../errors.js";

/** Everything the next step depends on beside the parameters: plain data, keyed by name. */
export interface OptimizerState {
  /** Version of this layout. */
  readonly version: 1;
  /** Name of the rule. */
  readonly rule: string;
  readonly options: Readonly<Record<string, boolean | string>>;
  /** Hyperparameters of the optimizer as they are now. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** Steps taken. */
  readonly iterations: number;
  /** The optimizer's own group first, then those that were given. */
  readonly groups: readonly GroupState[];
  /** Values by parameter and slot, in the parameter's layout; f32, or f64 on a backend of that precision. */
  readonly slots: Readonly<Record<string, Readonly<Record<string, Values>>>>;
}

/** One group's part of a state. */
export interface GroupState {
  /** Names of its parameters. */
  readonly parameters: readonly string[];
  /** Steps of the group; those that follow from `every` and the optimizer's if left out. */
  readonly iterations?: number;
  /** Hyperparameters that override the optimizer's, and `every`; empty for the first group. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** Scalars that the rule hands from step to step, such as Nadam's product of momenta. */
  readonly persistentScalars: Readonly<Record<string, number>>;
}

/** What a state has to agree with. */
export interface StateOutline {
  readonly rule: string;
  readonly options: Readonly<Record<string, boolean | string>>;
  readonly groups: readonly (readonly string[])[];
  readonly persistentScalars: readonly string[];
  /** Sizes by parameter. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly slots: readonly string[];
}

/**
 * Checks that a state can be restored into an optimizer of this outline.
 * @throws {GradstepError} `STATE_MISMATCH`, naming the first thing that differs
 */
export function checkState(state: OptimizerState, outline: StateOutline): void {
  const same = (what: string, got: unknown, expected: unknown): void => {
    if (got !== expected) fail(`${what} is ${show(got)}; expected ${show(expected)}`);
  };
  if (state === null || typeof state !== "object")
    fail(`got ${show(state)}; expected what optimizer.state() gave`);
  same("version", state.version, 1);
  same("rule", state.rule, outline.rule);
  table("options", state.options);
  table("hyperparameters", state.hyperparameters);
  table("slots", state.slots);
  for (const key of new Set([...keys(state.options), ...keys(outline.options)])) {
    same(`option ${key}`, state.options[key], outline.options[key]);
  }
  if (!Number.isSafeInteger(state.iterations) || state.iterations < 0) {
    fail(`iterations is ${show(state.iterations)}; expected a non-negative integer`);
  }
  if (!Array.isArray(state.groups)) fail(`groups is ${show(state.groups)}; expected an array`);
  same("number of groups", state.groups.length, outline.groups.length);
  // Over the outline, because `forEach` passes over the holes of an array.
  outline.groups.forEach((parameters, i) => {
    const group = state.groups[i];
    table(`group ${i}`, group);
    table(`hyperparameters of group ${i}`, group.hyperparameters);
    const { iterations } = group;
    if (iterations !== undefined && (!Number.isSafeInteger(iterations) || iterations < 0)) {
      fail(`iterations of group ${i} is ${show(iterations)}; expected a non-negative integer`);
    }
    table(`persistent scalar of group ${i}`, group.persistentScalars);
    if (!Array.isArray(group.parameters))
      fail(`parameters of group ${i} is ${show(group.parameters)}; expected an array of names`);
    same(`number of parameters of group ${i}`, group.parameters.length, parameters.length);
    sameNames(`parameters of group ${i}`, group.parameters, parameters);
    sameNames(
      `persistent scalar of group ${i}`,
      keys(group.persistentScalars),
      outline.persistentScalars,
    );
    for (const name of outline.persistentScalars) {
      if (!Number.isFinite(group.persistentScalars[name]))
        fail(
          `persistent scalar ${name} is ${show(group.persistentScalars[name])}; expected a finite number`,
        );
    }
  });
  sameNames("parameters with slots", keys(state.slots), [...outline.sizes.keys()]);
  for (const [parameter, size] of outline.sizes) {
    const slots = state.slots[parameter];
    table(`slots of ${parameter}`, slots);
    sameNames(`slots of ${parameter}`, keys(slots), outline.slots);
    for (const [slot, values] of Object.entries(slots)) {
      if (
        !ArrayBuffer.isView(values) ||
        !["Float32Array", "Float64Array"].includes(values[Symbol.toStringTag])
      )
        fail(`slot ${slot} of ${parameter} is ${show(values)}; expected a Float32Array`);
      same(`length of slot ${slot} of ${parameter}`, values.length, size);
    }
  }
}

function sameNames(what: string, got: readonly string[], expected: readonly string[]): void {
  const missing = expected.filter((name) => !got.includes(name));
  const unknown = got.filter((name) => !expected.includes(name));
  if (missing.length + unknown.length > 0)
    fail(`${what}: missing ${list(missing)}; not known here ${list(unknown)}`);
}

function table(what: string, value: unknown): void {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    fail(`${what} is ${show(value)}; expected an object`);
}

function keys(table: Readonly<Record<string, unknown>> | undefined): string[] {
  return Object.keys(table ?? {});
}

function fail(what: string): never {
  throw new GradstepError(
    `The state does not belong to this optimizer: ${what}. Make the optimizer with the rule, options, groups and parameters that the state was taken from.`,
    { code: "STATE_MISMATCH" },
  );
}
