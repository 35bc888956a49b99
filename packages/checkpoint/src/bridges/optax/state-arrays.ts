import { optaxParts } from "@gradstep/core/interop";
import { GradstepError } from "@gradstep/core";
import {
  accumulated,
  injected,
  skipping,
  structures,
  type Content,
  type Structure,
  type StructureOptions,
} from "./state-structures.js";

/** What the transformation is: the name and the arguments that `fromOptax` takes, in one object. */
export interface OptaxOptimizer {
  /** An alias, or the parts of a chain joined by `+`. */
  readonly name: string;
  readonly [option: string]: unknown;
}

/** An array in Optax's state. */
export interface StateArray {
  /** The keys that lead to it, joined by dots, such as `opt_state.0.mu.dense.kernel`. */
  readonly path: string;
  readonly shape: readonly number[];
  readonly content: Content;
  /** Of an array per parameter, its name. */
  readonly parameter?: string;
}

/** What the arrays of a state depend on. */
export interface StateArraysInput {
  /** The group of a parameter, by its name. */
  readonly groupOf: (parameter: string) => number;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** The hyperparameters that `inject_hyperparams` keeps for a part of the chain, whose state has this path. */
  readonly injectedAt: (path: string, part: string) => readonly string[];
}

/** The arrays that the state of an optimizer has in Optax. @throws {GradstepError} `UNSUPPORTED` */
export function stateArrays(
  optimizer: OptaxOptimizer,
  input: StateArraysInput,
): readonly StateArray[] {
  const parts = [...optaxParts(optimizer.name)];
  checkSchedule(optimizer, parts);
  const wrapping: ((inner: Structure) => Structure)[] = [];
  let root = "opt_state";
  for (; parts[0] === "multi_steps" || parts[0] === "apply_if_finite"; parts.shift()) {
    const isAccumulated = parts[0] === "multi_steps";
    wrapping.unshift(isAccumulated ? accumulated : skipping);
    root += isAccumulated ? ".inner_opt_state" : ".inner_state";
  }
  const isChain = parts.filter((part) => part !== "inject_hyperparams").length > 1;
  const items: Structure[] = [];
  parts.forEach((part, i) => {
    if (part === "inject_hyperparams") return;
    const options = structureOptions(optimizer);
    const isInjected = parts[i - 1] === "inject_hyperparams";
    // What is injected gets the values of schedules.
    const ownOptions = isInjected ? { ...options, isSchedule: () => false } : options;
    // Stages hold nothing.
    const own = Object.hasOwn(structures, part) ? structures[part](ownOptions) : {};
    const path = isChain ? `${root}.${items.length}` : root;
    items.push(isInjected ? injected(own, input.injectedAt(path, part), options) : own);
  });
  let whole: Structure = isChain ? items : items[0];
  for (const wrap of wrapping) whole = wrap(whole);
  return [...arraysOf("opt_state", whole, input)];
}

/** @throws {GradstepError} `UNSUPPORTED` */
function checkSchedule(optimizer: OptaxOptimizer, parts: readonly string[]): void {
  const name = parts.find((part) => part.startsWith("schedule_free_"));
  if (name === undefined || !structureOptions(optimizer).isSchedule("learning_rate")) return;
  throw new GradstepError(
    `Optax's ${name} follows a schedule with the weights of its average a step ahead of its rate, which cannot be continued here; expected a number as learning_rate.`,
    { code: "UNSUPPORTED" },
  );
}

/** Whether an option is a schedule, its data, or a function of the step. */
export function isSchedule(value: unknown): boolean {
  const { schedule } = (value ?? {}) as { readonly schedule?: unknown };
  return typeof value === "function" || schedule !== undefined;
}

function structureOptions(optimizer: OptaxOptimizer): StructureOptions {
  return {
    isSchedule: (option) => isSchedule(optimizer[option]),
    has: (option) => (optimizer[option] ?? null) !== null,
    isTrue: (option) => optimizer[option] === true,
  };
}

function* arraysOf(
  path: string,
  structure: Structure,
  input: StateArraysInput,
): Generator<StateArray> {
  if (isContent(structure)) {
    yield* contentArrays(path, structure, input);
    return;
  }
  for (const [key, inner] of Object.entries(structure))
    yield* arraysOf(`${path}.${key}`, inner, input);
}

function isContent(structure: Structure): structure is Content {
  return "holds" in structure;
}

function* contentArrays(
  path: string,
  content: Content,
  { shapes, groupOf }: StateArraysInput,
): Generator<StateArray> {
  if (content.holds === "slot" || content.holds === "meanGradient") {
    const group = content.holds === "slot" ? content.group : undefined;
    for (const [parameter, shape] of Object.entries(shapes))
      if (group === undefined || groupOf(parameter) === group)
        yield { path: `${path}.${parameter}`, shape, content, parameter };
    return;
  }
  const isVector = content.holds === "constants" && content.names.length > 1;
  yield { path, shape: isVector ? [content.names.length] : [], content };
}
