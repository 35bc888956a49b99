import { list, show } from "../../errors.js";
import { hasNames } from "../../argument-checks/has-names.js";
import { ruleFingerprint } from "../../rule/rule.js";
import type { Schedule } from "../../schedules/schedule.js";
import type { Group } from "../groups/group.js";
import type { RestoreOptions } from "../optimizer.js";
import type { Misfits } from "./misfit.js";
import { hyperparametersAt } from "./saved-hyperparameters.js";
import { countAt, own, tableAt, type Table } from "./state-values.js";
import { isArray } from "../../argument-checks/is-array.js";

/** What a group takes from a state. */
export interface GroupChange {
  readonly group: Group;
  /** These and no others; undefined if all stay as they are. */
  readonly hyperparameters: Readonly<Record<string, number | Schedule>> | undefined;
  readonly persistentScalars: Readonly<Record<string, number>>;
  readonly frozen: boolean;
  /** Undefined if it follows from the steps of the optimizer and `every`. */
  readonly iterations: number | undefined;
}

/** More groups than any state has. */
const maxGroups = 100_000;

/** What groups take from a state. They are found by the parameters that they hold. */
export function groupChanges(
  misfits: Misfits,
  state: Table,
  groups: readonly Group[],
  schedules: NonNullable<RestoreOptions["schedules"]>,
): readonly GroupChange[] {
  const [defaults] = groups;
  const hasSameRule = isSameRule(misfits, state, defaults);
  const ofOptimizer = tableAt(misfits.at("hyperparameters"), state["hyperparameters"]);
  const saved = savedGroups(misfits, state, groups.length);
  const matches = matchGroups(misfits, state, saved, groups);
  return groups.map((group, i): GroupChange => {
    const match = matches[i];
    const ofGroup = misfits.at(`groups.${match}`);
    const values = match === undefined ? {} : (saved[match] as Table);
    const isDefault = group === defaults;
    const isSame =
      isDefault || match === undefined
        ? hasSameRule
        : group.context === defaults.context
          ? hasNoRule(ofGroup, values)
          : isSameRule(ofGroup, values, group);
    const overrides =
      match === undefined || isDefault
        ? {}
        : tableAt(ofGroup.at("hyperparameters"), own(values, "hyperparameters"));
    // Overrides of a rule that the state's optimizer does not have mean nothing here.
    const hasOwnHyperparameters = isSame && (group.context !== defaults.context || hasSameRule);
    const takesHyperparameters = hasOwnHyperparameters && (isDefault || match !== undefined);
    return {
      group,
      hyperparameters: takesHyperparameters
        ? hyperparametersAt(
            (isDefault ? misfits : ofGroup).at("hyperparameters"),
            isDefault ? ofOptimizer : overrides,
            group,
            schedules,
          )
        : undefined,
      persistentScalars:
        match === undefined || !hasOwnHyperparameters
          ? {}
          : persistentScalarsAt(ofGroup.at("persistentScalars"), values, group),
      frozen: match === undefined ? group.frozen : frozenAt(ofGroup.at("frozen"), values, group),
      iterations:
        match === undefined ? group.iterations : iterationsAt(ofGroup.at("iterations"), values),
    };
  });
}

function savedGroups(misfits: Misfits, state: Table, count: number): readonly unknown[] {
  const groups = state["groups"];
  if (!isArray(groups) || groups.length > maxGroups) {
    misfits.at("groups").add("format", show(groups), "an array of groups");
    return [];
  }
  if (groups.length !== count)
    misfits.at("groups").add("group", `an array of ${groups.length}`, `an array of ${count}`);
  // A copy, because methods of arrays skip holes.
  return [...groups];
}

/** For each group the index of its state. */
function matchGroups(
  misfits: Misfits,
  state: Table,
  saved: readonly unknown[],
  groups: readonly Group[],
): readonly (number | undefined)[] {
  const known = new Set(groups.flatMap(({ parameters }) => parameters));
  const shapes = hasNames(state["shapes"]) ? state["shapes"] : {};
  // Parameters that only one of the two has are misfits of their own.
  const isShared = (name: string): boolean => known.has(name) === Object.hasOwn(shapes, name);
  const names = saved.map(namesOf);
  names.forEach((ofGroup, i) => {
    if (ofGroup === undefined && i < groups.length) addNoGroup(misfits.at(`groups.${i}`), saved[i]);
  });
  const holders = new Map<string, Set<number>>();
  names.forEach((ofGroup, i) => {
    for (const name of ofGroup ?? [])
      if (known.has(name)) holders.set(name, (holders.get(name) ?? new Set()).add(i));
  });
  return groups.map(({ parameters }, i) => {
    const found = new Set(parameters.flatMap((name) => [...(holders.get(name) ?? [])]));
    const [first = i] = found;
    const isOne = found.size <= 1 && names[first] !== undefined;
    // The first group is the optimizer's own, and no other one.
    const match = isOne && (first === 0) === (i === 0) ? first : undefined;
    const got = (match === undefined ? undefined : names[match])?.filter(isShared);
    const expected = parameters.filter(isShared);
    const isSame =
      got !== undefined &&
      got.length === expected.length &&
      expected.every((name) => got.includes(name));
    // A value that is not a group is a misfit already.
    if (!isSame && (names[i] !== undefined || i >= saved.length || match !== undefined))
      misfits
        .at(`groups.${match ?? i}.parameters`)
        .add("group", list(names[match ?? i] ?? []), list(parameters));
    return match;
  });
}

/** The names of the parameters of a saved group; undefined if the value is not a group. */
function namesOf(group: unknown): readonly string[] | undefined {
  const parameters = hasNames(group) ? group["parameters"] : undefined;
  return isArray(parameters) && isDense(parameters) ? parameters : undefined;
}

function addNoGroup(misfits: Misfits, group: unknown): void {
  if (hasNames(group))
    misfits.at("parameters").add("format", show(group["parameters"]), "an array of names");
  else misfits.add("format", show(group), "an object");
}

/** Whether all are names. Stops at the first value that is not, and therefore at the first hole. */
function isDense(names: readonly unknown[]): names is readonly string[] {
  for (let i = 0; i < names.length; i += 1) if (typeof names[i] !== "string") return false;
  return true;
}

/** Whether the rule of an optimizer or group is that of the state. Options that differ are misfits, too. */
function isSameRule(misfits: Misfits, saved: Table, { context: { spec } }: Group): boolean {
  const rule = own(saved, "rule");
  if (rule !== spec.rule.name) {
    misfits.at("rule").add("rule", shown(rule), show(spec.rule.name));
    return false;
  }
  const there = own(saved, "fingerprint");
  const here = there === undefined ? undefined : ruleFingerprint(spec);
  if (there !== here)
    misfits
      .at("fingerprint")
      .add(
        "rule",
        show(there),
        show(here),
        `The text of ${spec.rule.name} was another one. Use that, or { partial: true } to go on with the new one.`,
      );
  const options = tableAt(misfits.at("options"), own(saved, "options"));
  for (const name of new Set([...Object.keys(options), ...Object.keys(spec.options)])) {
    const [got, expected] = [own(options, name), own(spec.options, name)];
    if (got !== expected) misfits.at(`options.${name}`).add("rule", shown(got), shown(expected));
  }
  return true;
}

/** Whether a saved group has no rule of its own. */
function hasNoRule(misfits: Misfits, saved: Table): boolean {
  const rule = own(saved, "rule");
  if (rule !== undefined) misfits.at("rule").add("rule", show(rule), "missing");
  return rule === undefined;
}

function persistentScalarsAt(
  misfits: Misfits,
  saved: Table,
  { context }: Group,
): Readonly<Record<string, number>> {
  const table = tableAt(misfits, own(saved, "persistentScalars"));
  const names = Object.keys(context.variant.persistentScalars);
  for (const name of Object.keys(table))
    if (!names.includes(name)) misfits.at(name).add("rule", show(table[name]), "no such scalar");
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = own(table, name);
      if (Number.isFinite(value)) return [[name, value as number]];
      misfits.at(name).add("format", shown(value), "a finite number");
      return [];
    }),
  );
}

function frozenAt(misfits: Misfits, saved: Table, group: Group): boolean {
  const frozen = own(saved, "frozen") ?? false;
  if (typeof frozen === "boolean") return frozen;
  misfits.add("format", show(frozen), "true or false");
  return group.frozen;
}

function iterationsAt(misfits: Misfits, saved: Table): number | undefined {
  const iterations = own(saved, "iterations");
  return iterations === undefined ? undefined : countAt(misfits, iterations);
}

function shown(value: unknown): string {
  return value === undefined ? "missing" : show(value);
}
