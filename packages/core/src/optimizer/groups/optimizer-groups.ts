import { checkGroups } from "./check-groups.js";
import { GradstepError, list } from "../../errors.js";
import type { OptimizerSpec } from "../../rule/rule.js";
import type { OptimizerConfig, RuleConfig } from "../optimizer.js";
import { checkSparseOptions, sparseConfig } from "../sparse/check-sparse-options.js";
import type { SparseOptions } from "../../rule/sparse-options.js";
import type { Clock } from "../step/step-scalars.js";
import type { GroupOptions, MatchedParameter } from "../../rule/rule.js";
import { Group } from "./group.js";
import { checkedSpec, ruleContext, type KernelRun } from "./rule-context.js";

/** The inputs of the groups of an optimizer. */
export interface GroupInputs {
  readonly spec: OptimizerSpec;
  /** Those of the spec, then those of the options. */
  readonly groups: readonly GroupOptions[];
  readonly specGroupCount: number;
  readonly sparseOptions: SparseOptions;
}

/** The groups of an optimizer, and the rules that they use. */
export class OptimizerGroups {
  /** The optimizer's hyperparameters, which apply unless a group overrides them or has a rule of its own. */
  readonly defaults: Group;
  /** Those of the options. */
  readonly own: readonly Group[];
  /** The defaults, then the groups. */
  readonly all: readonly Group[];
  /** One run per rule. */
  readonly runs: readonly KernelRun[];
  readonly #mayBeEmpty: (index: number) => boolean;

  /** @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, `INVALID_RULE`, `UNSUPPORTED` */
  constructor({ spec, groups, specGroupCount, sparseOptions }: GroupInputs, clock: Clock) {
    const sharing = groups.filter(({ rule }) => rule === undefined);
    const context = ruleContext(spec, sharing, clock);
    const { name } = spec.rule;
    this.defaults = new Group({ context, label: name, overrides: spec.hyperparameters });
    this.defaults.sparseOptions = checkSparseOptions(
      name,
      sparseOptions,
      this.defaults.sparseOptions,
      context.variant,
    );
    this.own = groups.map((options, i) => this.#group(`${name}, group ${i}`, options, clock));
    this.all = [this.defaults, ...this.own];
    this.runs = [...new Set(this.all.map((group) => group.context.run))];
    // A spec is used for several models: what it selects by a function need not be in all of them.
    this.#mayBeEmpty = (i) => i < specGroupCount && typeof groups[i].match === "function";
  }

  #group(
    label: string,
    { match, rule, frozen = false, sparse, rowSteps, ...overrides }: GroupOptions,
    clock: Clock,
  ): Group {
    const defaults =
      rule === undefined ? this.defaults : this.#ownDefaults(label, rule, overrides, clock);
    const group = new Group({ context: defaults.context, label, overrides, match, defaults });
    group.frozen = frozen;
    group.sparseOptions = checkSparseOptions(
      label,
      { sparse, rowSteps },
      defaults.sparseOptions,
      group.context.variant,
    );
    return group;
  }

  /**
   * The defaults of a group with a rule of its own.
   * @throws {GradstepError} `INVALID_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, `UNSUPPORTED`
   */
  #ownDefaults(label: string, rule: OptimizerSpec, overrides: object, clock: Clock): Group {
    const spec = checkedSpec(`the rule of ${label}`, rule);
    if (checkGroups(rule.groups).length > 0 || spec.control !== undefined) {
      throw new GradstepError(
        `${label}: ${spec.rule.name} has groups or step control of its own; expected a rule without. Give them to the optimizer.`,
        { code: "UNKNOWN_OPTION" },
      );
    }
    const context = ruleContext(spec, [overrides as GroupOptions], clock);
    const own = new Group({ context, label, overrides: spec.hyperparameters, isHidden: true });
    own.sparseOptions = checkSparseOptions(
      label,
      spec.sparseOptions ?? {},
      this.defaults.sparseOptions,
      context.variant,
    );
    return own;
  }

  /**
   * The group that matches a parameter, or else the defaults.
   * @throws {GradstepError} `INVALID_PARAMETER` if two groups match
   */
  of(parameter: MatchedParameter): Group {
    const matching = this.own.filter((group) => group.matches(parameter));
    if (matching.length > 1) {
      const indices = matching.map((group) => this.own.indexOf(group));
      throw new GradstepError(
        `Parameter "${parameter.name}" matches groups ${indices.join(" and ")}; expected at most one. Make the matches exclusive.`,
        { code: "INVALID_PARAMETER" },
      );
    }
    return matching[0] ?? this.defaults;
  }

  /**
   * A group without parameters, or with an unknown name, is a mistake.
   * @throws {GradstepError} `UNKNOWN_PARAMETER`
   */
  checkMatches(names: readonly string[]): void {
    this.own.forEach((group, i) => {
      const unknown = group.names.filter((name) => !names.includes(name));
      if (group.parameters.length > 0 && unknown.length === 0) return;
      if (this.#mayBeEmpty(i)) return;
      const what = unknown.length > 0 ? `names ${list(unknown)}` : "matches nothing";
      throw new GradstepError(`Group ${i} ${what}; the parameters are ${list(names)}.`, {
        code: "UNKNOWN_PARAMETER",
      });
    });
  }

  /** Whether every group is updated in every step. */
  get areAlwaysDue(): boolean {
    for (let i = 0; i < this.all.length; i += 1) if (!this.all[i].isAlwaysDue) return false;
    return true;
  }

  /** Computes the scalars of a step that updates every group. */
  prepareAll(): void {
    for (let i = 0; i < this.all.length; i += 1) this.all[i].prepare();
  }

  /** To be called when that step was taken. */
  commitAll(): void {
    for (let i = 0; i < this.all.length; i += 1) this.all[i].commit();
  }

  /** Computes the scalars of the step with this number, of the groups that it updates. */
  prepare(iteration: number): void {
    for (let i = 0; i < this.all.length; i += 1) {
      const group = this.all[i];
      if (group.isDue(iteration)) group.prepare();
    }
  }

  /** To be called when that step was taken. */
  commit(iteration: number): void {
    for (let i = 0; i < this.all.length; i += 1) {
      const group = this.all[i];
      if (group.isDue(iteration)) group.commit();
    }
  }

  /** As plain data. @param rest what else belongs to the configuration of the optimizer */
  config(rest: Partial<OptimizerConfig>): OptimizerConfig {
    return {
      ...this.#configOf(this.defaults),
      ...rest,
      ...sparseConfig(this.defaults.sparseOptions),
      groups: this.own.map((group) => ({
        match: [...group.parameters],
        ...(group.frozen ? { frozen: true } : {}),
        ...sparseConfig(group.sparseOptions, this.defaults.sparseOptions),
        ...(group.context === this.defaults.context
          ? {}
          : { rule: this.#configOf(group.defaults!) }),
        ...group.overrides(),
      })),
    };
  }

  /** The configuration of the rule whose hyperparameters these are. */
  #configOf(defaults: Group): RuleConfig {
    const { spec, structural } = defaults.context;
    const groups = this.all.filter(({ context }) => context === defaults.context);
    const isZero = (name: string): boolean =>
      [defaults, ...groups].every((one) => one.get(name) === 0);
    const zero = structural.filter(isZero);
    return {
      name: spec.rule.name,
      ...(zero.length > 0 && { structural: zero }),
      settings: { ...defaults.overrides(), ...spec.options },
    };
  }
}
