import type { Rule } from "@gradstep/core";
import type { Capability } from "./check.js";

const known = new WeakMap<Rule, readonly Capability[]>();

/** What a backend must be capable of to run every variant of a rule. */
export function needsOf(rule: Rule): readonly Capability[] {
  const found = known.get(rule) ?? findNeeds(rule);
  known.set(rule, found);
  return found;
}

/** The rules that every backend runs. */
export function elementwise(rules: readonly Rule[]): readonly Rule[] {
  return rules.filter((rule) => needsOf(rule).length === 0);
}

function findNeeds(rule: Rule): readonly Capability[] {
  const variants = rule.variants();
  const slots = variants.flatMap((variant) => variant.slots);
  const passes = variants.flatMap(({ passPlan }) => passPlan.passes);
  const hasExtents = slots.some(({ extent }) => extent !== "element");
  return [
    ...(passes.length > variants.length || hasExtents ? (["reductions"] as const) : []),
    ...(passes.some(({ kind }) => kind === "newtonSchulz") ? (["matrixProducts"] as const) : []),
    ...(slots.some(({ initial }) => initial === "p") ? (["copies"] as const) : []),
  ];
}
