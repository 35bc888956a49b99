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
import { listed, norm, sampled, type StageEffect } from "./stage-effect.js";
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

/** What stages do to updates. */
export const updateEffects: Readonly<Record<string, () => StageEffect>> = {
  "clip-update-by-rms": () => ({
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
  "trust-ratio": () => ({
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
  "stable-update": () => ({
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
  "cautious-update": () => ({
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
  "cautious-weight-decay": () => ({
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
  "decoupled-weight-decay": () => ({
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
};
