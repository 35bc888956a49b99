import { GradstepError, list } from "../errors.js";
import type { Rule } from "./rule.js";
import type { Link, LinkTexts } from "./stage-renaming.js";
import type { Stage } from "./stage-factory.js";
import type { VariantTexts } from "./variant.js";

/** @throws {GradstepError} `INVALID_CHAIN` */
export function fail(message: string): never {
  throw new GradstepError(message, { code: "INVALID_CHAIN" });
}

/** Checks that there is one rule, and that no stage stands before what it needs. @throws {GradstepError} `INVALID_CHAIN` */
export function checkOrder(name: string, links: readonly Link[]): void {
  const rules = links.filter(({ stage }) => stage === undefined);
  if (rules.length !== 1) {
    fail(
      `chain: got ${rules.length === 0 ? "no rule" : `the rules ${rules.map((one) => one.rule.name).join(" and ")}`}; expected one rule. To use several, give a group a rule of its own.`,
    );
  }
  let before = links[0];
  for (const link of links) {
    if (rankOf(link) < rankOf(before)) {
      fail(
        `${name}: ${link.rule.name} stands after ${before.rule.name}, but is ${link.stage === undefined ? "the rule" : `on ${link.stage.updated}`}; expected it before. Stages on g come first, then the rule, stages on u and stages on p.`,
      );
    }
    before = link;
  }
}

/** Where a stage stands in a chain, by what it updates; the rule is at 1. */
const ranks = { g: 0, u: 2, p: 3 };

function rankOf({ stage }: Link): number {
  return stage === undefined ? 1 : ranks[stage.updated];
}

/** Checks that the rule has what a stage works on and reads. @throws {GradstepError} `INVALID_CHAIN` */
export function checkStage(name: string, stage: Stage, rule: Rule, ruleTexts: VariantTexts): void {
  if (stage.updated === "u" && !leavesApplication(ruleTexts)) {
    fail(
      `${name}: ${stage.name} works on u, but ${rule.name} assigns p itself. Leave it out, or use a rule that assigns u.`,
    );
  }
  const { slots = [], hyperparameters = [] } = stage.reads;
  const missing =
    slots.find((one) => !Object.hasOwn(ruleTexts.slots, one)) ??
    hyperparameters.find((one) => !Object.hasOwn(rule.hyperparameters, one));
  if (missing === undefined) return;
  fail(
    `${name}: ${stage.name} reads "${missing}", which ${rule.name} does not have; expected a rule with ${list([...slots, ...hyperparameters])}.`,
  );
}

/** Whether the application of the update is the last statement, which no rule writes itself. */
function leavesApplication({ perElement }: VariantTexts): boolean {
  return perElement.at(-1)!.isCommon === true && perElement.length > 1;
}

/**
 * Checks that hyperparameters, options and state have names of their own, since they are properties of one optimizer.
 * @throws {GradstepError} `INVALID_CHAIN`
 */
export function checkNames(name: string, links: readonly LinkTexts[]): void {
  const owners = new Map<string, string>();
  for (const { rule, texts } of links) {
    const { slots, persistentScalars, metrics = {} } = texts;
    const names = [rule.hyperparameters, rule.options, slots, persistentScalars, metrics].flatMap(
      (table) => Object.keys(table),
    );
    for (const one of names) {
      const owner = owners.get(one);
      if (owner !== undefined) {
        fail(
          `${name}: "${one}" belongs to ${owner} and to ${rule.name}; expected different names. Leave one out, or define it with another name.`,
        );
      }
      owners.set(one, rule.name);
    }
  }
}
