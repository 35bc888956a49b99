import {
  adamw,
  chain,
  type OptimizerSpec,
  type OptimizerState,
  type Rule,
  type Stage,
  type Tensor,
} from "@gradstep/core";
import { stages } from "@gradstep/core/stages";
import { snapshot, type Snapshot } from "../../checker/snapshot.js";
import { assert, assertSameAll, inCase } from "../assertions.js";
import { Random } from "../random/random.js";
import {
  choiceCount,
  inRange,
  randomSettings,
  type RuleSettings,
} from "../random/random-settings.js";
import { needsOf } from "../rule-needs.js";
import type { Check, Context } from "../check.js";
import { randomGradient, randomParameter } from "../random/random-values.js";

const sizes = { first: 7, second: 4, third: 5 };
const steps = 4;

/** For every rule: N steps, `state`, `restore` and N more steps give the bits of 2N steps. */
export function resumeChecks(rules: readonly Rule[]): readonly Check[] {
  return rules.map((rule) => ({
    group: "state",
    name: `${rule.name}: training resumes from a state`,
    needs: needsOf(rule),
    run: (context) => resumeCases(rule, context),
  }));
}

/** The same for every built-in stage, around a rule with momentum. */
export const stageResumeChecks: readonly Check[] = stages.map((stage) => ({
  group: "state",
  name: `${stage.name}: training resumes from a state`,
  needs: [...new Set([...needsOf(stage), ...needsOf(adamw.rule)])],
  run: async (context) => {
    const random = Random.of(context.seed, `state ${stage.name}`);
    const settings = randomSettings(stage, random.integer(0, choiceCount(stage) - 1), random);
    try {
      await resume(context, chainOf(stage, settings), random);
    } catch (error) {
      throw inCase(error, `${stage.name} ${JSON.stringify(settings)}`);
    }
  },
}));

function chainOf(stage: Stage, settings: RuleSettings): OptimizerSpec {
  const link = { stage, ...stage.specify(settings) };
  const rule = adamw({ learningRate: 0.01 });
  return stage.updated === "g" ? chain(link, rule) : chain(rule, link);
}

async function resumeCases(rule: Rule, context: Context): Promise<void> {
  const count = Math.min(choiceCount(rule), 16, 2 * context.maxKernels);
  for (let i = 0; i < count; i += 1) {
    const random = Random.of(context.seed, `state ${rule.name}`, i);
    const settings = randomSettings(rule, random.integer(0, choiceCount(rule) - 1), random);
    try {
      await resume(context, rule.specify(settings), random);
    } catch (error) {
      throw inCase(error, `${rule.name} ${JSON.stringify(settings)}`);
    }
  }
}

async function resume(context: Context, spec: OptimizerSpec, random: Random): Promise<void> {
  const initial = Object.fromEntries(
    Object.entries(sizes).map(([name, size]) => [name, randomParameter(size, random)]),
  );
  const gradients = Array.from({ length: 2 * steps }, () =>
    Object.fromEntries(
      Object.entries(sizes).map(([name, size]) => [name, randomGradient(size, random)]),
    ),
  );
  const { learningRate } = spec.rule.hyperparameters;
  const groups = [
    { match: "second", learningRate: inRange(learningRate, 0.003) },
    { match: "third", every: 3 },
  ];
  const start = async (values: Readonly<Record<string, ArrayLike<number>>>) => {
    const backend = await context.target.backend();
    const parameters: Record<string, Tensor> = {};
    for (const [name, array] of Object.entries(values))
      parameters[name] = backend.tensor([array.length], array);
    return { parameters, optimizer: context.target.create(spec, parameters, { groups }) };
  };

  const straight = await start(initial);
  for (const gradient of gradients) straight.optimizer.step(gradient);
  const expected = await snapshot(straight.optimizer, straight.parameters);

  const before = await start(initial);
  for (const gradient of gradients.slice(0, steps)) before.optimizer.step(gradient);
  const half = await snapshot(before.optimizer, before.parameters);
  const state = await before.optimizer.state();
  const kept = copyOf(state);
  // Later steps must not change the state.
  before.optimizer.step(gradients[steps]);

  const after = await start(
    Object.fromEntries(Object.entries(half).map(([name, values]) => [name, values.p])),
  );
  after.optimizer.restore(structuredClone(state));
  assert(
    after.optimizer.iterations === steps,
    `${spec.rule.name}: iterations is ${after.optimizer.iterations} after restore; expected ${steps}`,
  );
  for (const gradient of gradients.slice(steps)) after.optimizer.step(gradient);
  assertSameAll(
    await snapshot(after.optimizer, after.parameters),
    expected,
    `${spec.rule.name}, step ${2 * steps}, after a restore at step ${steps}`,
  );
  assertSameAll(state.slots, kept, `${spec.rule.name}: a state, after steps of both optimizers`);
  for (const { optimizer } of [straight, before, after]) optimizer.dispose();
}

function copyOf({ slots }: OptimizerState): Record<string, Snapshot> {
  return Object.fromEntries(
    Object.entries(slots).map(([name, values]) => [
      name,
      Object.fromEntries(Object.entries(values).map(([slot, array]) => [slot, array.slice()])),
    ]),
  );
}
