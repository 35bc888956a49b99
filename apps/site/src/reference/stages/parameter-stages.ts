import { constraints } from "@tensorflow/tfjs-layers";
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
import { arxiv } from "../papers.js";
import type { StageInfo } from "./stage-info.js";
import { argument, constraint, transformation } from "./stage-counterpart.js";
import { listed, norm, sampled } from "./stage-effect.js";
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

/** The stages that change parameters. */
export const parameterStages = {
  ema: {
    summary: "A moving average of the weights, to evaluate with.",
    sources: [
      {
        authors: "Polyak, Juditsky",
        year: 1992,
        title: "Acceleration of Stochastic Approximation by Averaging",
        venue: "SIAM Journal on Control and Optimization 30",
        url: "https://doi.org/10.1137/0330046",
      },
    ],
    counterparts: [
      {
        library: "keras",
        there: "SGD(use_ema=True, ema_momentum=0.99, ema_overwrite_frequency=None)",
        settings: { emaMomentum: 0.99, emaOverwrite: 0 },
        read: argument({ use_ema: true, ema_momentum: 0.99, ema_overwrite_frequency: null }),
      },
      {
        library: "torch",
        there:
          "torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay=0.999))",
        settings: { emaMomentum: 0.999 },
        difference: "To be updated after each step.",
      },
      {
        library: "optax",
        there: "optax.incremental_update(params, average, step_size=0.01)",
        settings: { emaMomentum: 0.99 },
        difference: "To be called after each step; `step_size` is 1 − `emaMomentum`.",
      },
    ],
    effect: () => ({
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
  },
  lookahead: {
    summary: "Slow weights that follow every few steps.",
    sources: [
      {
        ...arxiv(
          "1907.08610",
          "Zhang, Lucas, Hinton, Ba",
          2019,
          "Lookahead Optimizer: k steps forward, 1 step back",
          "NeurIPS",
        ),
        part: "Algorithm 1",
      },
    ],
    counterparts: [
      {
        library: "optax",
        there: "optax.lookahead(optimizer, sync_period=5, slow_step_size=0.5)",
        settings: { lookaheadSteps: 5, lookaheadStepSize: 0.5 },
        difference: "Parameters are pairs of fast and slow weights there.",
      },
    ],
    effect: () => ({
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
  },
  maxNorm: {
    summary: "Limits the norm of each row or column.",
    sources: [
      {
        authors: "Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov",
        year: 2014,
        title: "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
        venue: "Journal of Machine Learning Research 15",
        url: "https://jmlr.org/papers/v15/srivastava14a.html",
        part: "Section 5.1",
      },
    ],
    counterparts: [
      {
        library: "keras",
        there: "MaxNorm(max_value=2, axis=0)",
        settings: { maxNorm: 2, maxNormAxis: "column" },
        read: constraint("MaxNorm", { max_value: 2, axis: 0 }),
      },
      {
        library: "keras",
        there: "MinMaxNorm(min_value=0, max_value=1, rate=1, axis=0)",
        settings: { minNorm: 0, maxNorm: 1, normRate: 1, maxNormAxis: "column" },
        read: constraint("MinMaxNorm", { min_value: 0, max_value: 1, rate: 1, axis: 0 }),
      },
      {
        library: "torch",
        there: "torch.renorm(parameter, p=2, dim=1, maxnorm=2)",
        settings: { maxNorm: 2 },
        difference:
          "To be assigned after each step. It leaves norms below the limit as they are; Keras's form divides them by 1 + 1e-7 / norm.",
      },
      {
        library: "tfjs",
        there: "tf.constraints.maxNorm({ maxValue: 2, axis: 0 })",
        settings: { maxNorm: 2, maxNormAxis: "column" },
        constraint: () => constraints.maxNorm({ maxValue: 2, axis: 0 }),
      },
      {
        library: "tfjs",
        there: "tf.constraints.minMaxNorm({ minValue: 0, maxValue: 1, rate: 1, axis: 0 })",
        settings: { minNorm: 0, maxNorm: 1, normRate: 1, maxNormAxis: "column" },
        constraint: () => constraints.minMaxNorm({ minValue: 0, maxValue: 1, rate: 1, axis: 0 }),
      },
    ],
    effect: () => ({
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
  },
  unitNorm: {
    summary: "Gives each row or column the norm 1.",
    sources: [],
    counterparts: [
      {
        library: "keras",
        there: "UnitNorm(axis=0)",
        settings: { unitNormAxis: "column" },
        read: constraint("UnitNorm", { axis: 0 }),
      },
      {
        library: "tfjs",
        there: "tf.constraints.unitNorm({ axis: 0 })",
        settings: { unitNormAxis: "column" },
        constraint: () => constraints.unitNorm({ axis: 0 }),
      },
    ],
    effect: () => ({
      x: "norm of a column",
      y: "norm after the stage",
      lines: [
        sampled("without", [0, 3], (x) => x, { isBaseline: true }),
        sampled("unitNorm()", [0.125, 3], (x) => normAfter(unitNorm(), x)),
      ],
      caption: "The norm of a column of a parameter before and after the stage.",
    }),
  },
  nonNegativeWeights: {
    summary: "Replaces negative values by 0.",
    sources: [],
    counterparts: [
      { library: "keras", there: "NonNeg()", settings: {}, read: constraint("NonNeg") },
      {
        library: "torch",
        there: "parameter.clamp_(min=0)",
        settings: {},
        difference: "To be called after each step.",
      },
      {
        library: "optax",
        there: "optax.keep_params_nonnegative()",
        settings: {},
        read: transformation("sgd+keep_params_nonnegative", { learning_rate: 1 }),
      },
      {
        library: "tfjs",
        there: "tf.constraints.nonNeg()",
        settings: {},
        constraint: () => constraints.nonNeg(),
      },
    ],
    effect: () => ({
      x: "parameter",
      y: "after the stage",
      lines: [
        sampled("without", [-2, 2], (x) => x, { isBaseline: true }),
        sampled("nonNegativeWeights()", [-2, 2], (x) => valueAfter(nonNegativeWeights(), x)),
      ],
      caption: "A value of a parameter before and after the stage.",
    }),
  },
  clampWeights: {
    summary: "Keeps each value in a range.",
    sources: [],
    counterparts: [
      {
        library: "torch",
        there: "parameter.clamp_(min=0, max=1)",
        settings: {},
        difference: "To be called after each step.",
      },
      {
        library: "optax",
        there: "optax.projections.projection_box(params, lower=0, upper=1)",
        settings: {},
        difference: "To be called after each step.",
      },
      {
        library: "tfjs",
        there: "variable.assign(tf.clipByValue(variable, 0, 1))",
        settings: {},
        difference: "To be called after each step.",
      },
    ],
    effect: () => ({
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
  },
} satisfies Readonly<Record<string, StageInfo>>;
