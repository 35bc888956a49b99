import {
  adaptiveGradientClip,
  centralizeGradients,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  type StageSpec,
} from "@gradstep/core";
import { arxiv } from "../papers.js";
import type { StageInfo } from "./stage-info.js";
import { argument, transformation } from "./stage-counterpart.js";
import { listed, norm, sampled } from "./stage-effect.js";
import { parametersAfter, plain, updateOf } from "./stage-step.js";

/** A gradient of two values with this norm. */
const ofNorm = (length: number): readonly number[] => [0.6 * length, 0.8 * length];
const zeros = [0, 0];

function normAfter(stage: StageSpec, gradientNorm: number, values: readonly number[] = zeros) {
  return norm(updateOf([stage, plain], { values, gradient: ofNorm(gradientNorm) }));
}

/** The norms of the gradients of two tensors after `clipByGlobalNorm(1)`, for their norm together. */
function normsTogether(globalNorm: number): readonly [number, number] {
  const { first, second } = parametersAfter([clipByGlobalNorm(1), plain], {
    first: { values: [0], gradient: [0.5 * globalNorm] },
    second: { values: [0], gradient: [Math.sqrt(0.75) * globalNorm] },
  });
  return [norm(first), norm(second)];
}

const unit = [0.9, -0.2, 0.6, 0.4, -0.5, 0.8, 0.1, 0.7];

function centralized(): readonly number[] {
  const gradient = unit.flatMap((value) => [value, 0]);
  const given = { values: gradient.map(() => 0), gradient, shape: [unit.length, 2] };
  return updateOf([centralizeGradients(), plain], given).filter((_, i) => i % 2 === 0);
}

/** The stages that change gradients. */
export const gradientStages = {
  clipByValue: {
    summary: "Clips each value of the gradient.",
    sources: [],
    counterparts: [
      {
        library: "keras",
        there: "SGD(clipvalue=1)",
        settings: { clipValue: 1 },
        read: argument({ clipvalue: 1 }),
      },
      {
        library: "torch",
        there: "torch.nn.utils.clip_grad_value_(parameters, clip_value=1)",
        settings: { clipValue: 1 },
      },
      {
        library: "optax",
        there: "optax.clip(max_delta=1)",
        settings: { clipValue: 1 },
        read: transformation("clip+sgd", { max_delta: 1, learning_rate: 1 }),
      },
      {
        library: "tfjs",
        there: "tf.clipByValue(gradient, -1, 1)",
        settings: { clipValue: 1 },
        difference: "To be called before each step.",
      },
    ],
    effect: () => ({
      x: "value of the gradient",
      y: "after the stage",
      lines: [
        sampled("without", [-3, 3], (x) => x, { isBaseline: true }),
        ...[1, 2].map((clipValue) =>
          sampled(
            `clipValue: ${clipValue}`,
            [-3, 3],
            (x) => updateOf([clipByValue({ clipValue }), plain], { values: [0], gradient: [x] })[0],
          ),
        ),
      ],
      caption: "A value of a gradient before and after the stage.",
    }),
  },
  clipByNorm: {
    summary: "Clips the norm of the gradient of each tensor.",
    sources: [],
    counterparts: [
      {
        library: "keras",
        there: "SGD(clipnorm=1)",
        settings: { clipNorm: 1 },
        read: argument({ clipnorm: 1 }),
      },
      {
        library: "torch",
        there: "torch.nn.utils.clip_grad_norm_(parameter, max_norm=1)",
        settings: { clipNorm: 1 },
        difference: "To be called for each parameter; PyTorch adds 1e-6 to the norm.",
      },
    ],
    effect: () => ({
      x: "norm of the gradient of a tensor",
      y: "norm after the stage",
      lines: [
        sampled("without", [0, 4], (x) => x, { isBaseline: true }),
        ...[1, 2].map((clipNorm) =>
          sampled(`clipNorm: ${clipNorm}`, [0, 4], (x) => normAfter(clipByNorm({ clipNorm }), x)),
        ),
      ],
      caption: "The norm of a gradient before and after the stage. Its direction stays the same.",
    }),
  },
  clipByGlobalNorm: {
    summary: "Clips the norm of all gradients together.",
    sources: [
      {
        ...arxiv(
          "1211.5063",
          "Pascanu, Mikolov, Bengio",
          2013,
          "On the difficulty of training Recurrent Neural Networks",
          "ICML",
        ),
        part: "Algorithm 1",
      },
    ],
    counterparts: [
      {
        library: "keras",
        there: "SGD(global_clipnorm=1)",
        settings: { globalClipNorm: 1 },
        read: argument({ global_clipnorm: 1 }),
      },
      {
        library: "torch",
        there: "torch.nn.utils.clip_grad_norm_(parameters, max_norm=1)",
        settings: { globalClipNorm: 1 },
        difference: "PyTorch adds 1e-6 to the norm.",
      },
      {
        library: "optax",
        there: "optax.clip_by_global_norm(max_norm=1)",
        settings: { globalClipNorm: 1 },
        read: transformation("clip_by_global_norm+sgd", { max_norm: 1, learning_rate: 1 }),
      },
    ],
    effect: () => ({
      x: "norm of all gradients together",
      y: "norm after the stage",
      lines: [
        sampled("both tensors", [0, 4], (x) => norm(normsTogether(x)), { isBaseline: true }),
        sampled("first tensor", [0, 4], (x) => normsTogether(x)[0]),
        sampled("second tensor", [0, 4], (x) => normsTogether(x)[1]),
      ],
      caption:
        "The gradients of two tensors with `globalClipNorm: 1`. Both are scaled by the same factor, so their ratio is kept.",
    }),
  },
  adaptiveGradientClip: {
    summary: "Clips the gradient of each unit to a part of the norm of its weights.",
    sources: [
      {
        ...arxiv(
          "2102.06171",
          "Brock, De, Smith, Simonyan",
          2021,
          "High-Performance Large-Scale Image Recognition Without Normalization",
          "ICML",
        ),
        part: "Equation 3",
      },
    ],
    counterparts: [
      {
        library: "optax",
        there: "optax.adaptive_grad_clip(clipping=0.01, eps=1e-3)",
        settings: {},
        read: transformation("adaptive_grad_clip+sgd", {
          clipping: 0.01,
          eps: 1e-3,
          learning_rate: 1,
        }),
      },
    ],
    effect: () => ({
      x: "norm of the gradient of a unit",
      y: "norm after the stage",
      lines: [
        sampled("without", [0, 0.06], (x) => x, { isBaseline: true }),
        ...[1, 3].map((length) =>
          sampled(`weights of norm ${length}`, [0, 0.06], (x) =>
            normAfter(adaptiveGradientClip(), x, ofNorm(length)),
          ),
        ),
      ],
      caption:
        "With the default `agcClipping: 0.01`, for units whose weights have the norms 1 and 3.",
    }),
  },
  centralizeGradients: {
    summary: "Subtracts from the gradient of each unit its mean.",
    sources: [
      arxiv(
        "2004.01461",
        "Yong, Huang, Hua, Zhang",
        2020,
        "Gradient Centralization: A New Optimization Technique for Deep Neural Networks",
        "ECCV",
      ),
    ],
    counterparts: [
      {
        library: "optax",
        there: "optax.centralize()",
        settings: { centralizeAxis: "row" },
        read: transformation("centralize+sgd", { learning_rate: 1 }),
      },
    ],
    effect: () => ({
      form: "bars",
      x: "weight of one unit",
      y: "gradient",
      lines: [
        listed("before", unit, { first: 1, isBaseline: true }),
        listed("after the stage", centralized(), { first: 1 }),
      ],
      caption: "The gradient of the eight weights of one unit. Afterwards its mean is 0.",
    }),
  },
} satisfies Readonly<Record<string, StageInfo>>;
