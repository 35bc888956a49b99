import { chain, type ChainPart, type OptimizerSpec, type Rule, type Stage } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { scheduleOf } from "../controls/schedule-kinds.js";
import { ruleFromText } from "./rule-text.js";
import type { OwnRules, RunnerPart } from "./runner.js";

/** A rule or a stage by its name. */
export type NamedPart =
  | { readonly rule: Rule; readonly stage?: undefined }
  | { readonly rule: Rule; readonly stage: Stage };

/**
 * The rule or the stage of a name.
 * @throws {Error} if there is none; {RuleTextError}
 */
export function partByName(name: string, ownRules: OwnRules): NamedPart {
  if (Object.hasOwn(ownRules, name)) return { rule: ruleFromText(name, ownRules[name]) };
  const rule = rules.find((one) => one.name === name);
  if (rule !== undefined) return { rule };
  const stage = stages.find((one) => one.name === name);
  if (stage !== undefined) return { rule: stage, stage };
  throw new Error(`There is no rule and no stage "${name}".`);
}

/** The rule or the stage of a name; undefined if there is none, or if its text has mistakes. */
export function namedPart(name: string, ownRules: OwnRules): NamedPart | undefined {
  try {
    return partByName(name, ownRules);
  } catch {
    return undefined;
  }
}

/**
 * The optimizer of these parts.
 * @throws {GradstepError} for settings and orders that are not possible; {RuleTextError}
 */
export function specOf(parts: readonly RunnerPart[], ownRules: OwnRules): OptimizerSpec {
  const specs = parts.map(({ name, settings }): ChainPart => {
    const { rule, stage } = partByName(name, ownRules);
    const values = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [
        key,
        typeof value === "object" ? scheduleOf(value) : value,
      ]),
    );
    const spec = rule.specify(values);
    return stage === undefined
      ? spec
      : { stage, hyperparameters: spec.hyperparameters, options: spec.options };
  });
  const [first] = specs;
  return specs.length === 1 && "rule" in first ? first : chain(...specs);
}
