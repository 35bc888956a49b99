import { GradstepError, list, show } from "../errors.js";
import { checkHyperparameter } from "../rule/hyperparameter.js";
import type { Rule } from "../rule/spec.js";
import type { Match } from "./group-options.js";
import { StepScalars, type Changes } from "./step-scalars.js";
import type { Variant } from "../rule/variant.js";

/** What all groups of an optimizer share. */
export interface GroupContext {
  readonly rule: Rule;
  readonly variant: Variant;
  /** Switches that were 0 when the optimizer was made and have to stay so. */
  readonly off: readonly string[];
  /** Counted by every group, since a group may take the hyperparameters of another. */
  readonly changes: Changes;
}

/**
 * The hyperparameters of some parameters: those of the optimizer, overridden by its own; and the scalars of a step
 * that follow from them.
 */
export class Group {
  /** Names of the parameters in it. */
  readonly parameters: string[] = [];
  readonly scalars: StepScalars;
  /** Steps it has taken. */
  iterations = 0;
  readonly #label: string;
  readonly #context: GroupContext;
  readonly #base: Group | undefined;
  readonly #match: Match | undefined;
  readonly #own = new Map<string, number>();
  /** As in `#own`, which takes longer to look into. */
  #every = 1;

  /**
   * @param own hyperparameters of this group: all of them where there is no base.
   * @param match which parameters belong here; the base takes what no other group takes.
   * @param base the group whose hyperparameters hold where this one has none of its own.
   */
  constructor(
    context: GroupContext,
    label: string,
    own: Readonly<Record<string, unknown>>,
    match?: Match,
    base?: Group,
  ) {
    this.#context = context;
    this.#label = label;
    this.#base = base;
    this.#match = base === undefined ? undefined : checkMatch(label, match);
    for (const [name, value] of Object.entries(own)) if (value !== undefined) this.set(name, value);
    this.scalars = new StepScalars(context.variant, (name) => this.get(name), context.changes);
  }

  /** Whether a parameter of this name is claimed by this group. */
  matches(name: string): boolean {
    const match = this.#match;
    if (match === undefined) return false;
    if (typeof match === "string") return match === name;
    if (match instanceof RegExp) return name.search(match) >= 0;
    return typeof match === "function" ? match(name) : match.includes(name);
  }

  /** The names that were given as such: empty for a pattern or a test. */
  get names(): readonly string[] {
    if (typeof this.#match === "string") return [this.#match];
    return Array.isArray(this.#match) ? this.#match : [];
  }

  /** The value that holds for this group. */
  get(name: string): number {
    return this.#own.get(name) ?? this.#base!.get(name);
  }

  /** At every how manieth step of the optimizer it is stepped. */
  get every(): number {
    return this.#every;
  }

  /** Whether the optimizer's step of this number, 1 being the first, is one of its own. */
  isDue(iteration: number): boolean {
    return this.#every === 1 || iteration % this.#every === 0;
  }

  /** Computes the scalars of its next step. */
  prepare(): void {
    this.scalars.compute(this.iterations + 1);
  }

  /** That step was taken. */
  commit(): void {
    this.scalars.commit();
    this.iterations += 1;
  }

  /** @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` */
  set(name: string, value: unknown): void {
    this.#own.set(name, this.check(name, value));
    this.#changed();
  }

  /** What `set` would store. @throws as `set` does */
  check(name: string, value: unknown): number {
    const { rule, off } = this.#context;
    if (name === "every" && this.#base !== undefined) return checkEvery(this.#label, value);
    if (!Object.hasOwn(rule.hyperparameters, name)) {
      const isOption = Object.hasOwn(rule.options, name);
      throw new GradstepError(
        `${this.#label}: "${name}" is not a hyperparameter of ${rule.name}; it has ${list(Object.keys(rule.hyperparameters))}.` +
          (isOption
            ? ` An option is chosen for the whole optimizer: ${rule.name}({ ${name}: … }).`
            : ""),
        { code: "UNKNOWN_OPTION" },
      );
    }
    const checked = checkHyperparameter(this.#label, name, value, rule.hyperparameters[name]);
    if (checked !== 0 && off.includes(name)) {
      throw new GradstepError(
        `${this.#label}: ${name} is ${checked}; expected 0, because the optimizer was made with ${name} 0 and has no state for it. ` +
          `Make it with ${rule.name}({ ${name}: ${checked} }).`,
        { code: "INVALID_HYPERPARAMETER" },
      );
    }
    return checked;
  }

  /** Its own hyperparameters, and `every`, without those of its base. */
  own(): Record<string, number> {
    return Object.fromEntries(this.#own);
  }

  /** Takes over hyperparameters that were checked. */
  replace(own: Readonly<Record<string, number>>): void {
    this.#own.clear();
    for (const [name, value] of Object.entries(own)) this.#own.set(name, value);
    this.#changed();
  }

  #changed(): void {
    this.#every = this.#own.get("every") ?? 1;
    this.#context.changes.count += 1;
  }
}

function checkEvery(label: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw new GradstepError(
    `${label}: every is ${show(value)}; expected a positive integer: the group is stepped at every n-th step.`,
    { code: "INVALID_HYPERPARAMETER" },
  );
}

function checkMatch(label: string, match: unknown): Match {
  const valid =
    typeof match === "string" ||
    typeof match === "function" ||
    match instanceof RegExp ||
    (Array.isArray(match) && match.every((name) => typeof name === "string"));
  if (valid) return match as Match;
  throw new GradstepError(
    `${label}: match is ${show(match)}; expected a name, a list of names, a RegExp or a function of the name.`,
    {
      code: "UNKNOWN_OPTION",
    },
  );
}

/**
 * The group of a parameter: the one that matches its name, or the first.
 * @throws {GradstepError} `INVALID_PARAMETER` where two match
 */
export function groupOf(name: string, base: Group, groups: readonly Group[]): Group {
  const matching = groups.filter((group) => group.matches(name));
  if (matching.length > 1) {
    const indices = matching.map((group) => groups.indexOf(group));
    throw new GradstepError(
      `Parameter "${name}" is matched by groups ${indices.join(" and ")}; expected at most one. Make their matches exclude each other.`,
      { code: "INVALID_PARAMETER" },
    );
  }
  return matching[0] ?? base;
}
