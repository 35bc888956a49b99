import { parseRuleText, type Expression, type Rule } from "@gradstep/core";
import { isOperation, nameOf, namesIn, substitute } from "./expressions.js";

type Texts = ReturnType<Rule["texts"]>;

/** A statement of a rule, with where it is computed. */
export interface Statement {
  readonly name: string;
  readonly value: Expression;
  /** Once per step on the host, or for each element on the backend. */
  readonly per: "step" | "element";
  readonly repeats?: Repetition;
}

/** How often a statement is repeated. */
export interface Repetition {
  readonly count: Expression;
  /** The names whose values differ, with the value of each time. */
  readonly values: ReadonlyMap<string, readonly Expression[]>;
}

/** The mathematics of a rule or stage: statements in their order. */
export interface Mathematics {
  readonly statements: readonly Statement[];
  /** What is kept from step to step and assigned in one: the parameter, slots, persistent scalars. */
  readonly state: ReadonlySet<string>;
  /** What is read, but belongs to another part of a chain. */
  readonly given: ReadonlySet<string>;
  /** What must stay: state, metrics, and what a stage updates. */
  readonly outputs: ReadonlySet<string>;
  /** Whether `p` is the parameter before the step, as it is for all but the stages after the update. */
  readonly isBeforeUpdate: boolean;
}

/** Stands behind the name of a state for its value before the step. No name of a rule has it. */
const before = "\u2032";

/** The name of a state's value before the step. */
export function nameBefore(state: string): string {
  return state + before;
}

/** The state, and whether its value before the step is meant. */
export function stateOf(name: string): { readonly state: string; readonly isBefore: boolean } {
  const isBefore = name.endsWith(before);
  return { state: isBefore ? name.slice(0, -before.length) : name, isBefore };
}

/**
 * The statements of a rule's texts. Those that only set negligible values to 0, so that none becomes subnormal, are left
 * out. State that is read before it is assigned has the name `nameBefore` gives it.
 */
export function mathematicsOf(texts: Texts, kind: "step" | "evaluation" = "step"): Mathematics {
  const perElement = kind === "step" ? texts.perElement : (texts.evaluation ?? []);
  const all = [
    ...texts.perStep.flatMap(({ text }) => statementsOf(text, "step")),
    ...perElement.flatMap(({ text }) => statementsOf(text, "element")),
  ];
  const flushed = new Set(all.filter(isFlush).map(({ name }) => `${name}FlushThreshold`));
  const kept = all.filter((one) => !isFlush(one) && !flushed.has(one.name));
  const names = ["p", ...Object.keys(texts.slots), ...Object.keys(texts.persistentScalars)];
  const state = new Set(names.filter((name) => kept.some((one) => one.name === name)));
  return {
    statements: withValuesBefore(kept, state),
    state,
    given: new Set(texts.otherSlots ?? []),
    outputs: new Set([...names, ...Object.keys(texts.metrics ?? {}), texts.updated ?? "p"]),
    isBeforeUpdate: texts.isStage !== true || texts.updated !== "p",
  };
}

function statementsOf(text: string, per: Statement["per"]): Statement[] {
  return parseRuleText(text).map(({ name, value }) => ({ name, value, per }));
}

/** `m = abs(m) < mFlushThreshold ? 0 : m`. */
function isFlush({ name, value, per }: Statement): boolean {
  return (
    per === "element" && isOperation(value, "select") && namesIn(value).has(`${name}FlushThreshold`)
  );
}

function withValuesBefore(
  statements: readonly Statement[],
  state: ReadonlySet<string>,
): readonly Statement[] {
  const assigned = new Set<string>();
  return statements.map((one) => {
    const value = substitute(one.value, (name) =>
      state.has(name) && !assigned.has(name) ? nameOf(nameBefore(name)) : undefined,
    );
    assigned.add(one.name);
    return { ...one, value };
  });
}
