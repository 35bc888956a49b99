import { GradstepError, show } from "../../errors.js";
import type { HyperparameterValue } from "../../rule/hyperparameter-value.js";
import type { SparseOptions } from "../sparse/sparse-options.js";
import type { Schedule } from "../../schedules/schedule.js";
import type { OptimizerSpec } from "../../rule/rule.js";

/** What a function that selects parameters is given. */
export interface MatchedParameter {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Selects parameters: a name, a list of names, a pattern for names, or a function that tests a parameter. */
export type Match =
  | string
  | readonly string[]
  | RegExp
  | ((parameter: MatchedParameter) => boolean);

/** The rule of a group, whose hyperparameters are some of these: groups can have different ones. */
export type GroupRule<R extends string> = Omit<OptimizerSpec, "hyperparameters"> & {
  readonly hyperparameters: Partial<Readonly<Record<R, number | Schedule>>>;
};

/** Names of hyperparameters; none if they are not known. */
export type KnownNames<R extends string> = string extends R ? never : R;

/** Hyperparameters for some of the parameters. `R`: those of the group's own rule. */
export type GroupOptions<H extends string = string, R extends string = string> = {
  readonly match: Match;
  /**
   * A rule or chain for these parameters, in place of the optimizer's: `muon({ learningRate: 0.02 })`. Its
   * hyperparameters are those of the group. Steps are counted together.
   */
  readonly rule?: string extends R ? OptimizerSpec : GroupRule<R>;
  /**
   * The group is updated every `every` steps of the optimizer, for the first time at step number `every`, and counts its
   * own steps. Its gradients are ignored at the other steps. 1 if left out.
   */
  readonly every?: number;
  /** Whether the group stays as it is: its gradients are ignored, and it counts no steps. False if left out. */
  readonly frozen?: boolean;
  /** As in the options of the optimizer, which apply if left out. */
  readonly sparse?: SparseOptions["sparse"];
  readonly rowSteps?: SparseOptions["rowSteps"];
} & (string extends H
  ? Readonly<Record<string, unknown>>
  : Partial<Readonly<Record<H | KnownNames<NoInfer<R>>, HyperparameterValue>>>);

/**
 * Checks that groups are a list of objects; the content of a group is checked when the group is made.
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function checkGroups(groups: unknown): readonly GroupOptions[] {
  if (groups === undefined) return [];
  const isGroup = (group: unknown): boolean =>
    group !== null && typeof group === "object" && !Array.isArray(group);
  if (Array.isArray(groups) && [...groups].every(isGroup)) return groups;
  throw new GradstepError(
    `groups is ${show(groups)}; expected a list such as [{ match: /bias/, weightDecay: 0 }].`,
    { code: "UNKNOWN_OPTION" },
  );
}
