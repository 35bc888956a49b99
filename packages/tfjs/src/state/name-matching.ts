import { isSameShape } from "@gradstep/core/internal";
import { GradstepError } from "@gradstep/core";
import type { Variable } from "@tensorflow/tfjs-core";
import { statesByValue, type StatesByValue } from "./value-matching.js";
import type { WaitingState } from "./waiting-state.js";
import {
  compareNumbers,
  familyOf,
  isNumberedByTfjs,
  withoutUniquenessNumber,
} from "./name-numbering.js";

/** For each variable its state, or undefined where it has none. */
type Matches<S> = readonly (S | undefined)[];

/**
 * Finds the states of variables by name. TF.js's numbers in names may differ between two processes, so a name that TF.js
 * numbered counts only together with the others of its family (see `familyOf`). In this order:
 *
 * 1. the variable's values are those that the state was saved with, where the checkpoint has fingerprints (see
 *    `statesByValue`);
 * 2. the names are equal, and no name of the family is left without a variable;
 * 3. there are as many variables as states: in the order of their numbers, or of the step if shapes do not agree;
 * 4. there are as many variables of the family in TF.js as states: in the order of their numbers;
 * 5. the layers have the names that they had in a loaded model. If 3 or 4 contradict them or its values, it is an error;
 * 6. the states are optional: in the order of their numbers if there are as many variables as states, else by equal
 *    names if all states have a variable. The caller drops those of another shape.
 *
 * @param variables of one step, without state so far.
 * @param registered all variables in TF.js that have no state so far.
 * @param isLoaded whether the optimizer was loaded with its model, which keeps the names of layers.
 * @throws {GradstepError} `STATE_MISMATCH` where several assignments are possible
 */
export function matchByName<S extends WaitingState>(
  states: readonly S[],
  variables: readonly Variable[],
  registered: readonly Variable[],
  isLoaded: boolean,
): Map<Variable, S> {
  const found = new Map<Variable, S>();
  const byValue = statesByValue(states, variables);
  const statesByFamily = groupBy(states, ({ key }) => familyOf(key));
  for (const [family, members] of groupBy(variables, ({ name }) => familyOf(name))) {
    const candidates = statesByFamily.get(family);
    if (candidates === undefined) continue;
    const relatives = registered.filter(({ name }) => familyOf(name) === family);
    const matches = matchFamily(candidates, members, relatives, byValue, isLoaded);
    members.forEach((variable, i) => {
      const state = matches[i];
      if (state !== undefined) found.set(variable, state);
    });
  }
  return found;
}

/** The states in order, if there are as many as variables and all shapes agree. */
export function matchInOrder<S extends WaitingState>(
  states: readonly S[],
  variables: readonly Variable[],
): Matches<S> | undefined {
  const fits =
    states.length === variables.length &&
    states.every(({ shape }, i) => isSameShape(shape, variables[i].shape));
  return fits ? states : undefined;
}

function matchFamily<S extends WaitingState>(
  states: readonly S[],
  variables: readonly Variable[],
  registered: readonly Variable[],
  byValue: StatesByValue<S>,
  isLoaded: boolean,
): Matches<S> {
  const equalNames = variables.map(({ name }) => states.find(({ key }) => key === name));
  const isNumbered = states.some(({ key }) => isNumberedByTfjs(key));
  // Users choose names that are unique; what has another name is another variable.
  if (!isNumbered && equalNames.some((state) => state !== undefined)) return equalNames;
  // A loaded model has the values that its state was saved with.
  const haveValues = (matches: Matches<S>): boolean =>
    !isLoaded || matches.every((one, i) => byValue.get(variables[i])?.includes(one!) ?? true);
  const areAllNamed = areAllThere(states, equalNames, registered) && haveValues(equalNames);
  const certain =
    (isNumbered ? matchByValues(variables, byValue) : undefined) ??
    (areAllNamed ? equalNames : undefined);
  if (certain !== undefined) return certain;
  const inOrder =
    matchByNumber(states, variables) ??
    matchInOrder(states, variables) ??
    (isNumbered ? matchAllRegistered(states, variables, registered) : undefined);
  const byLayer = isLoaded ? matchByLayer(states, variables) : undefined;
  const matches = inOrder ?? byLayer;
  const isClear =
    inOrder === undefined ||
    ((byLayer?.every((one, i) => one === inOrder[i]) ?? true) && haveValues(inOrder));
  if (matches !== undefined && isClear) return matches;
  if (states.every(({ isOptional }) => isOptional === true)) {
    if (states.length === variables.length) return inNumberOrder(states, variables);
    const haveAllVariables = states.every((state) => equalNames.includes(state));
    return haveAllVariables ? equalNames : variables.map(() => undefined);
  }
  // The caller compares the shapes.
  if (states.length === 1 && variables.length === 1) return states;
  throw new GradstepError(
    `The state holds ${quoted(states.map(({ key }) => key))}, the step has the variables ${quoted(variables.map((one) => one.name))}; ` +
      `it is not clear which belongs to which. Use one optimizer per model, and give layers and variables names of their own: tf.layers.dense({ name }), tf.variable(value, true, name).`,
    { code: "STATE_MISMATCH" },
  );
}

function matchByValues<S extends WaitingState>(
  variables: readonly Variable[],
  byValue: StatesByValue<S>,
): Matches<S> | undefined {
  const matches = variables.map((variable): S | undefined => {
    const same = byValue.get(variable);
    return same?.length === 1 ? same[0] : undefined;
  });
  return areComplete(matches) ? matches : undefined;
}

/** Whether each variable has a state of its own. */
function areComplete(matches: Matches<WaitingState>): boolean {
  return !matches.includes(undefined) && new Set(matches).size === matches.length;
}

function areAllThere(
  states: readonly WaitingState[],
  equalNames: Matches<WaitingState>,
  registered: readonly Variable[],
): boolean {
  const isRegistered = ({ key, shape }: WaitingState): boolean =>
    registered.some((variable) => variable.name === key && isSameShape(variable.shape, shape));
  return !equalNames.includes(undefined) && (states.length === 1 || states.every(isRegistered));
}

/** By the names of layers: TF.js changes only the number that makes the name of a loaded variable unique. */
function matchByLayer<S extends WaitingState>(
  states: readonly S[],
  variables: readonly Variable[],
): Matches<S> | undefined {
  const matches = variables.map(({ name, shape }): S | undefined => {
    const base = withoutUniquenessNumber(name);
    const same = states.filter(
      (state) => withoutUniquenessNumber(state.key) === base && isSameShape(state.shape, shape),
    );
    return same.length === 1 ? same[0] : undefined;
  });
  return areComplete(matches) ? matches : undefined;
}

/**
 * The states in the order of the numbers in their names, which is that in which TF.js made the variables. The first step
 * may have had them in another order, and a state may have lost it: objects sort names such as `0` and `1`.
 */
function inNumberOrder<S extends WaitingState>(
  states: readonly S[],
  variables: readonly Variable[],
): Matches<S> {
  const sortedStates = [...states].sort((a, b) => compareNumbers(a.key, b.key));
  const sorted = [...variables].sort((a, b) => compareNumbers(a.name, b.name));
  return variables.map((one) => sortedStates[sorted.indexOf(one)]);
}

/** `inNumberOrder`, if there are as many as variables and all shapes agree. */
function matchByNumber<S extends WaitingState>(
  states: readonly S[],
  variables: readonly Variable[],
): Matches<S> | undefined {
  if (states.length !== variables.length) return undefined;
  const matches = inNumberOrder(states, variables);
  const fits = matches.every((state, i) => isSameShape(state!.shape, variables[i].shape));
  return fits ? matches : undefined;
}

function matchAllRegistered<S extends WaitingState>(
  states: readonly S[],
  variables: readonly Variable[],
  registered: readonly Variable[],
): Matches<S> | undefined {
  const ofSuchShape = registered.filter((variable) =>
    states.some(({ shape }) => isSameShape(shape, variable.shape)),
  );
  for (const some of [ofSuchShape, ofSuchShape.filter(({ trainable }) => trainable)]) {
    const all = matchByNumber(states, some);
    const matches = variables.map((one): S | undefined => all?.[some.indexOf(one)]);
    if (!matches.includes(undefined)) return matches;
  }
  return undefined;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Names for a message. */
export function quoted(names: readonly string[]): string {
  const shown = names.slice(0, 6).map((name) => `"${name}"`);
  return shown.join(", ") + (names.length > 6 ? ` and ${names.length - 6} more` : "");
}
