import {
  adaptiveGradientClip,
  centralizeGradients,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  type StageSpec,
} from "@gradstep/core";
import { listed, norm, sampled, type StageEffect } from "./stage-effect.js";
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

/** What stages do to gradients. */
export const gradientEffects: Readonly<Record<string, () => StageEffect>> = {
  "clip-by-value": () => ({
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
  "clip-by-norm": () => ({
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
  "clip-by-global-norm": () => ({
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
  "adaptive-gradient-clip": () => ({
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
  "centralize-gradients": () => ({
    form: "bars",
    x: "weight of one unit",
    y: "gradient",
    lines: [
      listed("before", unit, { first: 1, isBaseline: true }),
      listed("after the stage", centralized(), { first: 1 }),
    ],
    caption: "The gradient of the eight weights of one unit. Afterwards its mean is 0.",
  }),
};
