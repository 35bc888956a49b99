import {
  sizeOf,
  variantOf,
  type GroupOptions,
  type OptimizerSpec,
  type Rule,
} from "@gradstep/core";
import { assert, inCase } from "../assertions.js";
import { needsOf } from "../rule-needs.js";
import type { Check, Context } from "../check.js";
import { Harness } from "../harness.js";
import { Random } from "../random/random.js";
import { kernelsFirst, randomHyperparameter, randomSettings } from "../random/random-settings.js";
import { randomGradient, randomParameter, randomShape } from "../random/random-values.js";

/** Cases of a rule with few choices. */
const minCases = 16;

/** Every kernel of every rule, with random hyperparameters and values: each step is inside its bound. */
export function boundChecks(rules: readonly Rule[]): readonly Check[] {
  return rules.map((rule) => ({
    group: "bounds",
    name: rule.name,
    needs: needsOf(rule),
    run: (context) => randomCases(rule, Math.ceil(context.cases / rules.length), context),
  }));
}

async function randomCases(rule: Rule, cases: number, context: Context): Promise<void> {
  const { seed, stats, allChoices } = context;
  // A rule of several passes has as many kernels.
  const maxKernels =
    needsOf(rule).length > 0 ? Math.ceil(context.maxKernels / 3) : context.maxKernels;
  const all = kernelsFirst(rule);
  const indices =
    maxKernels < all.kernels
      ? Random.of(seed, rule.name).sample(all.indices.slice(0, all.kernels), maxKernels)
      : all.indices;
  const count = Math.max(
    cases,
    allChoices
      ? Math.max(Math.min(minCases, context.cases), indices.length)
      : Math.min(maxKernels, all.kernels),
  );
  const before = { ...stats };
  for (let i = 0; i < count; i += 1) {
    const random = Random.of(seed, rule.name, i);
    const settings = randomSettings(rule, indices[i % indices.length], random);
    try {
      await randomCase(rule.specify(settings), rule, context, random);
    } catch (error) {
      throw inCase(error, `${rule.name} case ${i}, seed ${seed}, ${JSON.stringify(settings)}`);
    }
    stats.cases += 1;
  }
  const elements = stats.elements - before.elements;
  assert(
    elements > stats.unbounded - before.unbounded,
    `${rule.name}: none of ${elements} values has a bound (overflow, or the root of a negative number); expected some`,
  );
}

/** Three steps of a few tensors in one batch, with groups, missing gradients and a learning rate that changes. */
async function randomCase(
  spec: OptimizerSpec,
  rule: Rule,
  context: Context,
  random: Random,
): Promise<void> {
  const names = ["first", "second", "third"].slice(0, random.integer(1, 3));
  const needsMatrix = hasRowSlots(spec);
  const initial = Object.fromEntries(
    names.map((name, i) => {
      const shape = needsMatrix && i === 0 ? randomMatrix(random) : randomShape(24, random);
      return [name, { shape, values: randomParameter(sizeOf(shape), random) }];
    }),
  );
  const harness = await Harness.start(context, spec, initial, randomGroups(names, rule, random));
  if (random.chance(0.5)) {
    const slots = (length: number): Float32Array => {
      const values = randomGradient(length, random);
      // Most slots hold averages of gradients or of their squares.
      return random.chance(0.5) ? values : values.map(Math.abs);
    };
    await harness.jump(
      random.pick([1, 9, 62, 99, 1000, 100_000]),
      random.chance(0.5) ? slots : undefined,
    );
  }
  const repeated = random.chance(0.2);
  let gradients: Record<string, Float32Array> = {};
  for (let step = 0; step < 3; step += 1) {
    if (step === 0 || !repeated) {
      gradients = {};
      for (const name of names)
        if (random.chance(0.85))
          gradients[name] = randomGradient(initial[name].values.length, random);
      if (Object.keys(gradients).length === 0)
        gradients[names[0]] = randomGradient(initial[names[0]].values.length, random);
    }
    await harness.step(gradients, random.chance(0.3) ? names : []);
    if (random.chance(0.3)) {
      const learningRate = randomHyperparameter(
        "learningRate",
        rule.hyperparameters.learningRate,
        random,
      );
      harness.both((optimizer) => {
        optimizer.learningRate = learningRate;
      });
    }
  }
  harness.optimizer.dispose();
}

/** Whether a rule keeps a value per row or column, so that it computes a matrix otherwise than a vector. */
function hasRowSlots(spec: OptimizerSpec): boolean {
  return variantOf(spec).slots.some(({ extent }) => extent === "row" || extent === "column");
}

function randomMatrix(random: Random): readonly number[] {
  return [random.integer(2, 4), random.integer(2, 6)];
}

function randomGroups(names: readonly string[], rule: Rule, random: Random): GroupOptions[] {
  if (names.length < 2 || random.chance(0.6)) return [];
  const { learningRate, weightDecay } = rule.hyperparameters;
  return names.slice(1).map((match) => ({
    match,
    learningRate: randomHyperparameter("learningRate", learningRate, random),
    weightDecay: randomHyperparameter("weightDecay", weightDecay, random),
  }));
}
