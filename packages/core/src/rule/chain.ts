import { show } from "../errors.js";
import { isArray } from "../argument-checks/is-array.js";
import { propertyOf } from "../argument-checks/property-of.js";
import type { Schedule } from "../schedules/schedule.js";
import { fail } from "./chain-checks.js";
import { chainedRule, type ChainedRule } from "./chained-rule.js";
import { withOn, type OptimizerSpec } from "./rule.js";
import type { StageSpec } from "./stage-factory.js";
import type { Link } from "./stage-renaming.js";

/** A stage or a rule with its settings. */
export type ChainPart<H extends string = string> = StageSpec<H> | OptimizerSpec<H>;

/** The names of the hyperparameters of parts. */
type HyperparameterOf<P> = P extends {
  readonly hyperparameters: Readonly<Record<infer H, number | Schedule>>;
}
  ? H & string
  : never;

/**
 * One rule with stages before and after it: `chain(clipByGlobalNorm(1), adamw(), ema(0.999))`. The result is a spec like
 * that of a single rule; its hyperparameters are those of all parts. A part may be a chain itself. Where the groups of a
 * part have rules of their own, as in `muonWithAdamw()`, each of these gets the stages, too.
 *
 * @throws {GradstepError} `INVALID_CHAIN` without exactly one rule, for stages in an order that has no meaning, and for
 * names that clash
 */
export function chain<const P extends readonly ChainPart[]>(
  ...parts: P
): OptimizerSpec<HyperparameterOf<P[number]>> {
  const rule = chainedRule(parts.flatMap(linksOf));
  const specs = parts.filter((part): part is OptimizerSpec => !("stage" in part));
  const [spec] = specs;
  const groups = spec.groups.map((group) =>
    group.rule === undefined
      ? group
      : { ...group, rule: chain(...parts.map((part) => (part === spec ? group.rule! : part))) },
  );
  const chained = {
    ...spec,
    rule,
    hyperparameters: Object.assign({}, ...parts.map(({ hyperparameters }) => hyperparameters)),
    options: Object.assign({}, ...parts.map(({ options }) => options)),
    groups,
  } as OptimizerSpec<HyperparameterOf<P[number]>>;
  // Checks the texts: those of the fingerprint, which have the slots of all structural hyperparameters.
  rule.texts(withOn(chained.options, rule.structural));
  return chained;
}

function linksOf(part: ChainPart): readonly Link[] {
  const has = (name: "stage" | "rule", property: string, type: string): boolean =>
    typeof part === "object" && typeof propertyOf(propertyOf(part, name), property) === type;
  if (has("stage", "updated", "string")) {
    const { stage } = part as StageSpec;
    return [{ rule: stage, stage }];
  }
  if (has("rule", "texts", "function") && isArray(propertyOf(part, "groups"))) {
    const { rule } = part as OptimizerSpec;
    return (rule as Partial<ChainedRule>).links ?? [{ rule, stage: undefined }];
  }
  fail(
    `chain: got ${show(part)}; expected stages and one rule of @gradstep/core, each called and as an argument of its own: chain(clipByGlobalNorm(1), adam()).`,
  );
}
