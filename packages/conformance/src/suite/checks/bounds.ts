import type { GroupOptions, OptimizerSpec, Rule } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { ConformanceError } from "../assert.js";
import { Random } from "../random.js";
import { kernelsFirst, randomHyperparameter, randomSettings } from "../settings.js";
import type { Check, Context } from "../subject.js";
import { Trial } from "../trial.js";
import { randomGradient, randomParameter, randomShape, sizeOfShape } from "../values.js";

/** Every rule, every kernel, random hyperparameters and values: each step inside its bound. */
export const boundChecks: readonly Check[] = rules.map((rule) => ({
  group: "bounds",
  name: rule.name,
  run: (context) => randomCases(rule, context),
}));

async function randomCases(rule: Rule, context: Context): Promise<void> {
  const { cases, seed, tally, allChoices } = context;
  const share = Math.ceil(cases / rules.length);
  const { indices, kernels } = kernelsFirst(rule);
  const count = Math.max(share, allChoices ? indices.length : kernels);
  for (let i = 0; i < count; i += 1) {
    const random = Random.of(seed, rule.name, i);
    const settings = randomSettings(rule, indices[i % indices.length], random);
    try {
      await randomCase(rule.specify(settings), rule, context, random);
    } catch (error) {
      throw inCase(error, `${rule.name} case ${i}, seed ${seed}, ${JSON.stringify(settings)}`);
    }
    tally.cases += 1;
  }
}

/** Three steps of a few tensors in one batch, with groups, missing gradients and a rate that changes. */
async function randomCase(
  spec: OptimizerSpec,
  rule: Rule,
  context: Context,
  random: Random,
): Promise<void> {
  const names = ["first", "second", "third"].slice(0, random.integer(1, 3));
  const initial = Object.fromEntries(
    names.map((name) => {
      const shape = randomShape(24, random);
      return [name, { shape, values: randomParameter(sizeOfShape(shape), random) }];
    }),
  );
  const trial = await Trial.start(context, spec, initial, randomGroups(names, rule, random));
  if (random.chance(0.3)) await trial.jump(random.pick([1, 9, 99, 1000, 100_000]));
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
    await trial.step(gradients, random.chance(0.3) ? names : []);
    if (random.chance(0.3)) {
      const rate = 10 ** random.between(-6, 0);
      trial.both((optimizer) => {
        optimizer.learningRate = rate;
      });
    }
  }
  trial.optimizer.dispose();
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

/** Says in which case something was found, so that it can be found again. */
export function inCase(error: unknown, where: string): Error {
  const what = error instanceof Error ? error.message : String(error);
  const located = error instanceof ConformanceError ? ConformanceError : Error;
  return new located(`${what}\n  in ${where}`, { cause: error });
}
