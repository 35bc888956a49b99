import {
  chain,
  clampWeights,
  createOptimizer,
  ema,
  lookahead,
  maxNorm,
  nonNegativeWeights,
  sgd,
  unitNorm,
  type StageSpec,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { listed, norm, sampled, type StageEffect } from "./stage-effect.js";
import { after, plain } from "./stage-step.js";

const zeros = [0, 0];
const ofNorm = (length: number): readonly number[] => [0.6 * length, 0.8 * length];

const normAfter = (stage: StageSpec, length: number): number =>
  norm(after([plain, stage], { values: ofNorm(length), gradient: zeros }));

const valueAfter = (stage: StageSpec, value: number): number =>
  after([plain, stage], { values: [value], gradient: [0] })[0];

/** A parameter over steps, and its weights to evaluate with. */
interface Track {
  readonly values: readonly number[];
  readonly evaluated: readonly number[];
}

/** Gradient descent on half the square of a parameter that begins at 1. @param noiseAt added to the gradient of a step */
function track(
  learningRate: number,
  count: number,
  stages: readonly StageSpec[],
  noiseAt: (step: number) => number = () => 0,
): Track {
  const p = reference().tensor([1], [1]);
  const optimizer = createOptimizer(chain(sgd({ learningRate }), ...stages), { p });
  const values = [1];
  const evaluated = [1];
  for (let step = 0; step < count; step += 1) {
    optimizer.step({ p: Float32Array.of(p.view!()[0] + noiseAt(step)) });
    values.push(p.view!()[0]);
    if (stages.length === 0) continue;
    optimizer.swap();
    evaluated.push(p.view!()[0]);
    optimizer.swap();
  }
  optimizer.dispose();
  return { values, evaluated };
}

/** Values without order between −1 and 1. */
const noise = (step: number): number => {
  const value = Math.sin(step * 12.9898 + 4.1) * 43758.5453;
  return 2 * (value - Math.floor(value)) - 1;
};

const noisy = (stages: readonly StageSpec[]): Track =>
  track(0.15, 120, stages, (i) => 2 * noise(i));
const oscillating = (stages: readonly StageSpec[]): Track => track(1.9, 40, stages);

/** What stages do to parameters. */
export const parameterEffects: Readonly<Record<string, () => StageEffect>> = {
  ema: () => ({
    x: "step",
    y: "parameter",
    lines: [
      listed("parameter", noisy([]).values, { isBaseline: true }),
      ...[0.8, 0.95].map((emaMomentum) =>
        listed(`emaMomentum: ${emaMomentum}`, noisy([ema({ emaMomentum })]).evaluated),
      ),
    ],
    caption:
      "Gradient descent with noise in its gradients, from 1 to the minimum at 0, and the averages that `optimizer.swap()` shows.",
  }),
  lookahead: () => ({
    x: "step",
    y: "parameter",
    lines: [
      listed("without", oscillating([]).values, { isBaseline: true }),
      listed("parameter", oscillating([lookahead()]).values),
      listed("slow weights", oscillating([lookahead()]).evaluated),
    ],
    caption:
      "Gradient descent on half a square with the learning rate 1.9, which jumps over the minimum at 0 in each step. With the default settings, the slow weights follow every fifth step by half of the way.",
  }),
  "max-norm": () => ({
    x: "norm of a column",
    y: "norm after the stage",
    lines: [
      sampled("without", [0, 4], (x) => x, { isBaseline: true }),
      sampled("maxNorm: 2", [0, 4], (x) => normAfter(maxNorm({ maxNorm: 2 }), x)),
      sampled(
        "maxNorm: 2, minNorm: 1, normRate: 0.5",
        [0.25, 4],
        (x) => normAfter(maxNorm({ maxNorm: 2, minNorm: 1, normRate: 0.5 }), x),
        { intervals: 15 },
      ),
    ],
    caption: "The norm of a column of a parameter before and after the stage.",
  }),
  "unit-norm": () => ({
    x: "norm of a column",
    y: "norm after the stage",
    lines: [
      sampled("without", [0, 3], (x) => x, { isBaseline: true }),
      sampled("unitNorm()", [0.125, 3], (x) => normAfter(unitNorm(), x)),
    ],
    caption: "The norm of a column of a parameter before and after the stage.",
  }),
  "non-negative-weights": () => ({
    x: "parameter",
    y: "after the stage",
    lines: [
      sampled("without", [-2, 2], (x) => x, { isBaseline: true }),
      sampled("nonNegativeWeights()", [-2, 2], (x) => valueAfter(nonNegativeWeights(), x)),
    ],
    caption: "A value of a parameter before and after the stage.",
  }),
  "clamp-weights": () => ({
    x: "parameter",
    y: "after the stage",
    lines: [
      sampled("without", [-2, 2], (x) => x, { isBaseline: true }),
      sampled("clampWeights()", [-2, 2], (x) => valueAfter(clampWeights(), x)),
      sampled("minWeight: -1, maxWeight: 1", [-2, 2], (x) =>
        valueAfter(clampWeights({ minWeight: -1, maxWeight: 1 }), x),
      ),
    ],
    caption: "A value of a parameter before and after the stage.",
  }),
};
