import { chain, type OptimizerSpec, type StageSpec, type UpdatedArray } from "@gradstep/core";
import { stages } from "@gradstep/core/stages";
import { randomReducingRule, randomStage } from "./random-reducing-rule.js";
import { randomRule } from "./random-rule.js";
import { choiceCount, randomSettings } from "./random-settings.js";
import type { Random } from "./random.js";

/** Slots and metrics of a rule. WebGPU binds 8 arrays: these, `p`, `g`, a mask, and what passes hand on. */
export const maxSlots = 4;

/** A rule with a metric, or a chain. */
export function randomSpec(
  name: string,
  random: Random,
  copies: boolean,
  metric: string,
): OptimizerSpec {
  return random.chance(0.4)
    ? randomChain(name, random, copies)
    : randomReducingRule(name, random, { copies, maxSlots, metric }).specify({});
}

/**
 * A rule with up to four stages: random ones and built-in ones, one for each array that a stage can update, and sometimes
 * a second one for one of them.
 */
export function randomChain(name: string, random: Random, copies: boolean): OptimizerSpec {
  const isReducing = random.chance(0.6);
  const rule = isReducing
    ? randomReducingRule(name, random, { copies, maxSlots: 2 })
    : randomRule(name, random);
  // A random elementwise rule assigns p itself.
  const places = (["g", "u", "p"] as const).filter((one) => isReducing || one !== "u");
  const links: StageSpec[] = [];
  const chosen = random.sample(places, random.integer(1, places.length));
  if (random.chance(0.5)) chosen.push(random.pick(chosen));
  for (const updated of chosen) {
    const used = [rule, ...links.map(({ stage }) => stage)].map(
      (one) => one.variant().slots.length,
    );
    const left = maxSlots - used.reduce((sum, length) => sum + length, 0);
    const link = randomLink(updated, copies, left, random);
    if (links.every(({ stage }) => stage.name !== link.stage.name)) links.push(link);
  }
  const linksOf = (updated: UpdatedArray): readonly StageSpec[] =>
    links.filter(({ stage }) => stage.updated === updated);
  return chain(...linksOf("g"), rule.specify({}), ...linksOf("u"), ...linksOf("p"));
}

function randomLink(
  updated: UpdatedArray,
  copies: boolean,
  slotsLeft: number,
  random: Random,
): StageSpec {
  if (slotsLeft > 0 && random.chance(0.5)) return randomStage(updated, random);
  const stage = random.pick(
    stages.filter((one) => {
      const { slots } = one.variant();
      const isPossible = copies || slots.every(({ initial }) => initial !== "p");
      // Some read slots that only certain rules have.
      const isForAny = Object.keys(one.reads).length === 0;
      return one.updated === updated && isPossible && isForAny && slots.length <= slotsLeft;
    }),
  );
  const settings = randomSettings(stage, random.integer(0, choiceCount(stage) - 1), random);
  return { stage, ...stage.specify(settings) };
}
