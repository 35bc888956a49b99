import type { Values } from "../backend/backend.js";
import type { ScheduleData } from "../schedules/schedule.js";
import type { StepControlState } from "./step-control/step-control-state.js";
import { GradstepError, list, show } from "../errors.js";

/**
 * Everything the next step depends on, apart from the values of the parameters: plain data, keyed by name. It survives
 * `structuredClone`, IndexedDB and `v8.serialize` bit for bit, and JSON as long as all values are finite (JSON also drops
 * the sign of zeros).
 */
export interface OptimizerState {
  /** Version of this layout. */
  readonly version: 1;
  /** Name of the rule. */
  readonly rule: string;
  readonly options: Readonly<Record<string, boolean | string>>;
  /** Current hyperparameters of the optimizer. */
  readonly hyperparameters: Readonly<Record<string, number | ScheduleData>>;
  /** Steps taken. */
  readonly iterations: number;
  /** The optimizer's own group first, then the others in their order. */
  readonly groups: readonly GroupState[];
  /** The shape of each parameter. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /**
   * Values by parameter and slot, in the parameter's layout: f32, or f64 from a backend of that precision. `restore`
   * also takes arrays of numbers, and the objects into which JSON turns typed arrays.
   */
  readonly slots: Readonly<Record<string, Readonly<Record<string, Values>>>>;
  /**
   * The steps that each row has taken, for parameters with the option `rowSteps`; left out if there are none. `restore`
   * also takes arrays of numbers, and the objects into which JSON turns typed arrays.
   */
  readonly rowSteps?: Readonly<Record<string, Uint32Array>>;
  /** Left out without `accumulate`, `nonFinite` and `lossScale`. */
  readonly control?: StepControlState;
}

/** The state of one group. */
export interface GroupState {
  /** Names of its parameters. */
  readonly parameters: readonly string[];
  /** Steps of the group; if left out, computed from the optimizer's steps and `every`. */
  readonly iterations?: number;
  /** Name and options of the group's own rule; left out for groups with the optimizer's. */
  readonly rule?: string;
  readonly options?: Readonly<Record<string, boolean | string>>;
  /**
   * Hyperparameters that override the optimizer's, and `every`; empty for the first group. All of them for a group with
   * a rule of its own.
   */
  readonly hyperparameters: Readonly<Record<string, number | ScheduleData>>;
  /** Left out for groups that are not frozen. */
  readonly frozen?: boolean;
  /** Scalars that the rule keeps from step to step, such as Nadam's product of momenta. */
  readonly persistentScalars: Readonly<Record<string, number>>;
}

/** What a state has to agree with. */
export interface StateOutline {
  readonly rule: string;
  readonly options: Readonly<Record<string, boolean | string>>;
  readonly groups: readonly GroupOutline[];
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The slots of each parameter. */
  readonly slots: ReadonlyMap<string, readonly SlotOutline[]>;
  /** The number of rows of each parameter whose rows count their own steps. */
  readonly rowSteps: ReadonlyMap<string, number>;
}

/** What the state of a group has to agree with. */
export interface GroupOutline {
  /** Names. */
  readonly parameters: readonly string[];
  readonly persistentScalars: readonly string[];
  /** Those of the group's own rule. */
  readonly rule: string | undefined;
  readonly options: Readonly<Record<string, boolean | string>> | undefined;
}

/** A slot of one parameter. */
export interface SlotOutline {
  readonly name: string;
  /** Number of values. */
  readonly size: number;
}

/** The values of a state's slots, by parameter, in the order of the outline's slots. */
export type SlotValues = ReadonlyMap<string, readonly ArrayLike<number>[]>;

/**
 * Checks that a state can be restored into an optimizer of this outline, and returns its slots.
 * @throws {GradstepError} `STATE_MISMATCH`, naming the first difference
 */
export function checkState(state: OptimizerState, outline: StateOutline): SlotValues {
  if (typeof state === "string")
    throw new GradstepError(
      "Got text as the state; expected the object that it was made of: restore(JSON.parse(text)).",
      { code: "STATE_MISMATCH" },
    );
  if (state === null || typeof state !== "object")
    fail(`got ${show(state)}; expected what optimizer.state() returned`);
  if (state instanceof Promise)
    throw new GradstepError(
      "Got a Promise as the state; expected what it resolves to: restore(await optimizer.state()).",
      { code: "STATE_MISMATCH" },
    );
  checkSame("version", state.version, 1);
  checkSame("rule", state.rule, outline.rule);
  checkIsTable("options", state.options);
  checkIsTable("hyperparameters", state.hyperparameters);
  checkIsTable("slots", state.slots);
  checkSameOptions("option", state.options, outline.options);
  checkCount("iterations", state.iterations);
  if (!Array.isArray(state.groups)) fail(`groups is ${show(state.groups)}; expected an array`);
  checkSame("number of groups", state.groups.length, outline.groups.length);
  // Over the outline, because `forEach` skips the holes of an array.
  outline.groups.forEach((group, i) => {
    checkGroup(`group ${i}`, state.groups[i], group);
  });
  checkIsTable("shapes", state.shapes);
  checkNames("parameters with shapes", Object.keys(state.shapes), [...outline.shapes.keys()]);
  for (const [name, shape] of outline.shapes)
    checkSame(`shape of ${name}`, JSON.stringify(state.shapes[name]), JSON.stringify(shape));
  checkNames("parameters with slots", Object.keys(state.slots), [...outline.slots.keys()]);
  return new Map(
    [...outline.slots].map(([parameter, expected]) => {
      const slots = state.slots[parameter];
      checkIsTable(`slots of ${parameter}`, slots);
      checkNames(
        `slots of ${parameter}`,
        Object.keys(slots),
        expected.map(({ name }) => name),
      );
      return [
        parameter,
        expected.map(({ name, size }) =>
          slotValues(`slot ${name} of ${parameter}`, slots[name], size),
        ),
      ];
    }),
  );
}

/**
 * Checks the steps of rows in a state, and returns them by parameter.
 * @throws {GradstepError} `STATE_MISMATCH`
 */
export function checkRowSteps(
  { rowSteps = {} }: OptimizerState,
  expected: StateOutline["rowSteps"],
): ReadonlyMap<string, Uint32Array> {
  checkIsTable("rowSteps", rowSteps);
  checkNames("parameters with rowSteps", Object.keys(rowSteps), [...expected.keys()]);
  return new Map(
    [...expected].map(([name, rows]) => {
      const what = `rowSteps of ${name}`;
      const steps: unknown = rowSteps[name];
      if (steps === null || typeof steps !== "object")
        fail(`${what} is ${show(steps)}; expected a Uint32Array`);
      const values: readonly unknown[] = Object.values(steps);
      checkSame(`length of ${what}`, values.length, rows);
      for (const value of values) checkCount(what, value as number);
      return [name, Uint32Array.from(values as readonly number[])];
    }),
  );
}

function checkSameOptions(
  what: string,
  got: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
): void {
  for (const key of new Set([...Object.keys(got), ...Object.keys(expected)]))
    checkSame(`${what} ${key}`, got[key], expected[key]);
}

function checkGroup(
  what: string,
  group: GroupState,
  { parameters, persistentScalars, rule, options }: GroupOutline,
): void {
  checkIsTable(what, group);
  checkSame(`rule of ${what}`, group.rule, rule);
  if (options !== undefined) {
    checkIsTable(`options of ${what}`, group.options);
    checkSameOptions(`${what}: option`, group.options!, options);
  }
  checkIsTable(`hyperparameters of ${what}`, group.hyperparameters);
  if (group.iterations !== undefined) checkCount(`iterations of ${what}`, group.iterations);
  checkIsTable(`persistentScalars of ${what}`, group.persistentScalars);
  if (!Array.isArray(group.parameters))
    fail(`parameters of ${what} is ${show(group.parameters)}; expected an array of names`);
  checkSame(`number of parameters of ${what}`, group.parameters.length, parameters.length);
  checkNames(`parameters of ${what}`, group.parameters, parameters);
  checkNames(
    `persistentScalars of ${what}`,
    Object.keys(group.persistentScalars),
    persistentScalars,
  );
  for (const name of persistentScalars) {
    const value = group.persistentScalars[name];
    if (!Number.isFinite(value))
      fail(`persistent scalar ${name} is ${show(value)}; expected a finite number`);
  }
}

/** The values of one slot: a typed array, or what JSON makes of one. */
export function slotValues(what: string, slot: unknown, size: number): ArrayLike<number> {
  if (isFloatArray(slot)) {
    checkSame(`length of ${what}`, slot.length, size);
    return slot;
  }
  if (ArrayBuffer.isView(slot) || slot === null || typeof slot !== "object")
    fail(`${what} is ${show(slot)}; expected a Float32Array`);
  const values: readonly unknown[] = Array.isArray(slot) ? slot : Object.values(slot);
  checkSame(`length of ${what}`, values.length, size);
  for (let i = 0; i < size; i += 1) {
    // An object has its values under "0", "1", …, in this order.
    const value = (slot as readonly unknown[])[i];
    if (typeof value === "number") continue;
    if (value !== null) fail(`${what} has ${show(value)} at ${i}; expected a number`);
    throw new GradstepError(
      `The state went through JSON, which turns NaN and Infinity into null: ${what} has null at ${i}. Store such states with v8.serialize, in IndexedDB, or slot by slot as bytes.`,
      { code: "STATE_MISMATCH" },
    );
  }
  return values as readonly number[];
}

/** True for arrays of another realm, too, such as those that a frame or a test environment makes. */
function isFloatArray(value: unknown): value is Values {
  return (
    ArrayBuffer.isView(value) &&
    ["Float32Array", "Float64Array"].includes((value as Values)[Symbol.toStringTag])
  );
}

function checkSame(what: string, got: unknown, expected: unknown): void {
  if (got !== expected) fail(`${what} is ${show(got)}; expected ${show(expected)}`);
}

export function checkCount(what: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 0)
    fail(`${what} is ${show(count)}; expected a non-negative integer`);
}

function checkNames(what: string, got: readonly string[], expected: readonly string[]): void {
  const missing = expected.filter((name) => !got.includes(name));
  const unknown = got.filter((name) => !expected.includes(name));
  if (missing.length + unknown.length > 0)
    fail(`${what}: ${list(missing)} missing; ${list(unknown)} unknown here`);
}

export function checkIsTable(what: string, value: unknown): void {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    fail(`${what} is ${show(value)}; expected an object`);
}

/** @throws {GradstepError} `STATE_MISMATCH` */
export function fail(what: string): never {
  throw new GradstepError(
    `The state does not belong to this optimizer: ${what}. Make the optimizer with the rule, options, groups and parameters that the state was taken from.`,
    { code: "STATE_MISMATCH" },
  );
}
