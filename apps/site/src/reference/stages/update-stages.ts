import {
  adam,
  cautiousUpdate,
  cautiousWeightDecay,
  chain,
  clipUpdateByRms,
  createOptimizer,
  decoupledWeightDecay,
  sgd,
  stableUpdate,
  trustRatio,
  type OptimizerSpec,
  type StageSpec,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { adafactor, adamw, arxiv, lamb, lars } from "../papers.js";
import type { StageInfo } from "./stage-info.js";
import { transformation } from "./stage-counterpart.js";
import { listed, norm, sampled } from "./stage-effect.js";
import { plain, updateOf } from "./stage-step.js";

const ofNorm = (length: number): readonly number[] => [0.6 * length, 0.8 * length];

/** The update of a parameter with this value, whose gradient is 0.05. */
function updateAt(value: number, stages: readonly StageSpec[]): number {
  return updateOf([plain, ...stages], { values: [value], gradient: [0.05] })[0];
}

const directions = [1, 0.8, -0.9, 0.6, -0.7, 0.3, -0.4, 0.9];
const turned = [0.5, -0.8, -0.6, 0.7, 0.9, 0.4, -0.5, -0.3];

/** The updates of a second step, whose gradients partly have other signs than those of the first. */
function secondUpdate(stages: readonly StageSpec[]): readonly number[] {
  const p = reference().tensor([directions.length]);
  const momentum = sgd({ learningRate: 1, momentum: 0.9 });
  const spec = chain(momentum, ...stages);
  const optimizer = createOptimizer(spec, { p });
  optimizer.step({ p: Float32Array.from(directions) });
  const before = [...p.view!()];
  optimizer.step({ p: Float32Array.from(turned) });
  const update = [...p.view!()].map((value, i) => before[i] - value);
  optimizer.dispose();
  return update;
}

const steps = 60;
const jump = 30;

/** The updates of Adam, in units of the learning rate, whose gradient is 1 at first and 10 from step 30 on. */
function updatesAtJump(spec: OptimizerSpec): readonly number[] {
  const p = reference().tensor([1]);
  const optimizer = createOptimizer(spec, { p });
  let before = 0;
  const updates = Array.from({ length: steps }, (_, step) => {
    optimizer.step({ p: Float32Array.of(step < jump ? 1 : 10) });
    const [value] = p.view!();
    const update = before - value;
    before = value;
    return update;
  });
  optimizer.dispose();
  return updates;
}

/** The stages that change updates. */
export const updateStages = {
  clipUpdateByRms: {
    summary: "Clips the root mean square of the update of each tensor.",
    sources: [{ ...adafactor, part: "Section 6" }],
    counterparts: [
      {
        library: "optax",
        there: "optax.clip_by_block_rms(threshold=1)",
        settings: { clipUpdateRms: 1 },
        read: transformation("scale_by_adam+clip_by_block_rms+scale", {
          threshold: 1,
          step_size: -1,
        }),
      },
    ],
    effect: () => ({
      x: "root mean square of an update",
      y: "after the stage",
      lines: [
        sampled("without", [0, 4], (x) => x, { isBaseline: true }),
        ...[1, 2].map((clipUpdateRms) =>
          sampled(`clipUpdateRms: ${clipUpdateRms}`, [0, 4], (x) => {
            const gradient = [x, -x, x, -x];
            const stage = clipUpdateByRms({ clipUpdateRms });
            const update = updateOf([plain, stage], { values: [0, 0, 0, 0], gradient });
            return norm(update) / Math.sqrt(update.length);
          }),
        ),
      ],
      caption:
        "The root mean square of the update of a tensor before and after the stage, with the learning rate 1.",
    }),
  },
  trustRatio: {
    summary: "Scales the update of each tensor to the norm of the tensor.",
    sources: [{ ...lamb, part: "Algorithm 2" }, lars],
    counterparts: [
      {
        library: "optax",
        there: "optax.scale_by_trust_ratio(min_norm=0, trust_coefficient=1, eps=0)",
        settings: { trustRatioCoefficient: 1, trustRatioEpsilon: 0 },
        read: transformation("scale_by_adam+scale_by_trust_ratio+scale", {
          min_norm: 0,
          trust_coefficient: 1,
          // Adam's ε has the same name.
          step_size: -1,
        }),
      },
    ],
    effect: () => ({
      x: "norm of the update of a tensor",
      y: "after the stage",
      lines: [
        sampled("without", [0, 4], (x) => x, { isBaseline: true }),
        ...[1, 3].map((length) =>
          sampled(`tensor of norm ${length}`, [0.25, 4], (x) =>
            norm(updateOf([plain, trustRatio()], { values: ofNorm(length), gradient: ofNorm(x) })),
          ),
        ),
      ],
      caption:
        "With the learning rate 1, an update gets the norm of its tensor, whatever its own norm was.",
    }),
  },
  stableUpdate: {
    summary: "Shortens updates of tensors whose gradients grew.",
    sources: [
      arxiv(
        "2304.13013",
        "Wortsman, Dettmers, Zettlemoyer, Morcos, Farhadi, Schmidt",
        2023,
        "Stable and low-precision training for large-scale vision-language models",
        "NeurIPS",
      ),
    ],
    counterparts: [],
    effect: () => ({
      x: "step",
      y: "update / learning rate",
      lines: [
        listed("adam()", updatesAtJump(adam({ learningRate: 1 })), { first: 1, isBaseline: true }),
        listed(
          "chain(adam(), stableUpdate())",
          updatesAtJump(chain(adam({ learningRate: 1 }), stableUpdate())),
          { first: 1 },
        ),
      ],
      caption:
        "The gradient is 1 for 30 steps and 10 from then on. Adam's second moment is still that of small gradients, so its updates become too large; the stage divides them by how much.",
    }),
  },
  cautiousUpdate: {
    summary: "Updates only where update and gradient have the same sign.",
    sources: [
      {
        ...arxiv(
          "2411.16085",
          "Liang, Chen, Liu, Liu",
          2024,
          "Cautious Optimizers: Improving Training with One Line of Code",
        ),
        part: "Algorithm 1",
      },
    ],
    counterparts: [
      {
        library: "optax",
        there: "optax.contrib.cautious(optimizer, eps=1e-8)",
        settings: {},
        difference:
          "In Optax's main branch. The share of the updated elements has no lower limit of 1/1000 there.",
      },
    ],
    effect: () => ({
      form: "bars",
      x: "parameter",
      y: "value",
      lines: [
        listed("gradient", turned, { first: 1 }),
        listed("update of momentum", secondUpdate([]), { first: 1, isBaseline: true }),
        listed("after the stage", secondUpdate([cautiousUpdate()]), { first: 1 }),
      ],
      caption:
        "The second step of SGD with momentum 0.9. Where gradient and update differ in sign, the parameter is left as it is; the others move further.",
    }),
  },
  cautiousWeightDecay: {
    summary: "Decays only where that does not work against the update.",
    sources: [
      {
        ...arxiv(
          "2510.12402",
          "Chen, Li, Liang, Su, Xie, Pierse, Liang, Lao, Liu",
          2025,
          "Cautious Weight Decay",
        ),
        part: "Algorithm 1",
      },
    ],
    counterparts: [],
    effect: () => ({
      x: "parameter",
      y: "update",
      lines: [
        sampled("without", [-2, 2], (x) => updateAt(x, []), { isBaseline: true }),
        sampled("cautiousWeightDecay: 0.1", [-2, 2], (x) =>
          updateAt(x, [cautiousWeightDecay({ cautiousWeightDecay: 0.1 })]),
        ),
        sampled("decoupledWeightDecay: 0.1", [-2, 2], (x) =>
          updateAt(x, [decoupledWeightDecay({ decoupledWeightDecay: 0.1 })]),
        ),
      ],
      caption:
        "Gradient descent subtracts 0.05 from a parameter. Negative parameters would move away from 0 with that: the stage does not decay them.",
    }),
  },
  decoupledWeightDecay: {
    summary: "Weight decay as a part of the update, for stages after it.",
    sources: [adamw],
    counterparts: [
      {
        library: "optax",
        there: "optax.add_decayed_weights(weight_decay=0)",
        settings: { decoupledWeightDecay: 0 },
        read: transformation("scale_by_adam+add_decayed_weights+scale", {
          weight_decay: 0,
          step_size: -1,
        }),
      },
    ],
    effect: () => ({
      x: "parameter",
      y: "update",
      lines: [
        sampled("without", [-2, 2], (x) => updateAt(x, []), { isBaseline: true }),
        ...[0.05, 0.1].map((rate) =>
          sampled(`decoupledWeightDecay: ${rate}`, [-2, 2], (x) =>
            updateAt(x, [decoupledWeightDecay({ decoupledWeightDecay: rate })]),
          ),
        ),
      ],
      caption:
        "Gradient descent subtracts 0.05 from a parameter; with the stage, also a part of the parameter. The learning rate is 1.",
    }),
  },
} satisfies Readonly<Record<string, StageInfo>>;
