import {
  adaptiveGradientClip,
  cautiousUpdate,
  centralizeGradients,
  chain,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  clipUpdateByRms,
  cosineDecay,
  decoupledWeightDecay,
  ema,
  lookahead,
  maxNorm,
  trustRatio,
  unitNorm,
  warmup,
  type OptimizerSpec,
} from "gradstep";
import { rules } from "@gradstep/core/rules";
import type { Random } from "./random.js";

export const shapes = { w: [3, 2], b: [4], c: [2, 3], table: [5, 2] } as const;
export type Name = keyof typeof shapes;
export const names = Object.keys(shapes) as Name[];

/** The number of values of a parameter as it is first. */
export function sizeOf(name: Name): number {
  return shapes[name].reduce((a: number, n) => a * n, 1);
}

/** A rule with random options. Structural hyperparameters are 0 or not. */
export function randomRule(random: Random): OptimizerSpec {
  const rule = random.pick(rules);
  const options = Object.entries(rule.options).map(([name, values]) => [name, random.pick(values)]);
  const structural = rule.structural.map((name) => [name, random.pick([0, 0.25])]);
  const learningRate = random.pick([0.05, cosineDecay(0.1, 9), warmup(4, 0.1)]);
  return rule.specify({
    ...Object.fromEntries(options),
    ...Object.fromEntries(structural),
    learningRate,
  });
}

const clips = [clipByGlobalNorm(0.5), clipByValue(0.5), clipByNorm(0.5), adaptiveGradientClip()];
const updates = [cautiousUpdate(), clipUpdateByRms(0.5), decoupledWeightDecay(0.1), trustRatio()];
const constraints = [maxNorm({ maxNorm: 1, maxNormAxis: "row" }), unitNorm()];

/** A rule, perhaps with stages before its update, on it, and after it. */
export function randomSpec(random: Random): OptimizerSpec {
  const rule = randomRule(random);
  const before = [
    ...random.pick([[], [centralizeGradients()]]),
    ...random.pick([[], [random.pick(clips)]]),
  ];
  const between = rule.rule.name === "ftrl" ? [] : random.pick([[], [random.pick(updates)]]);
  const after = [
    ...random.pick([[], [ema(0.5)], [lookahead({ lookaheadSteps: 3 })]]),
    ...random.pick([[], [random.pick(constraints)]]),
  ];
  const stages = [...before, ...between, ...after];
  return stages.length > 0 ? chain(...before, rule, ...between, ...after) : rule;
}
