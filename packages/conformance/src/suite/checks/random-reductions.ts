import {
  chain,
  defineRule,
  nonNegative,
  type GroupOptions,
  type OptimizerSpec,
  type StageSpec,
  type StepOptions,
  type UnselectedRows,
  type UpdatedArray,
  sizeOf,
} from "@gradstep/core";
import { stages } from "@gradstep/core/stages";
import { inCase } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { Harness } from "../harness.js";
import { randomReducingRule, randomStage } from "../random/random-reducing-rule.js";
import { randomRule } from "../random/random-rule.js";
import { choiceCount, randomSettings } from "../random/random-settings.js";
import { randomGradient, randomParameter, randomShape } from "../random/random-values.js";
import { Random } from "../random/random.js";

const group = "rules with reductions";

/** Slots and metrics of a rule. WebGPU binds 8 arrays: these, `p`, `g`, a mask, and what passes hand on. */
const maxSlots = 4;

/** Random rules, chains and several rules in one step: each step is inside its bound. */
export const randomReductionChecks: readonly Check[] = [
  {
    group,
    name: "random rules",
    needs: ["reductions"],
    run: (context) =>
      randomCases(context, "random reductions", 30, (random, name, copies) => ({
        spec: randomReducingRule(name, random, { copies, maxSlots, metric: "largest" }).specify({}),
      })),
  },
  {
    group,
    name: "random rules with Newton–Schulz iterations",
    needs: ["reductions", "matrixProducts"],
    run: (context) =>
      randomCases(context, "random iterations", 8, (random, name, copies) => ({
        spec: randomReducingRule(name, random, { copies, maxSlots: 2, iterates: true }).specify({}),
      })),
  },
  {
    group,
    name: "random chains of stages and a rule",
    needs: ["reductions"],
    run: (context) =>
      randomCases(context, "random chains", 16, (random, name, copies) => ({
        spec: randomChain(name, random, copies),
      })),
  },
  { group, name: "long tensors, and many of them", needs: ["reductions"], run: longSums },
  {
    group,
    name: "groups with random rules and chains of their own",
    needs: ["reductions", "commonReductions"],
    run: (context) =>
      randomCases(context, "random rules of groups", 16, (random, name, copies) => {
        const seed = random.integer(0, 2 ** 31);
        const first = (): OptimizerSpec =>
          randomSpec(`${name}-first`, Random.of(seed, "first"), copies, "largestOfFirst");
        const rule = randomSpec(`${name}-second`, random, copies, "largestOfSecond");
        return {
          spec: first(),
          groups: [
            { match: ({ name: one, shape }) => one !== "third" && shape.length !== 1, rule },
            // The same text once more, which has sums of all tensors in common with the first.
            { match: ["third"], rule: first() },
          ],
        };
      }),
  },
];

/** Sums over several blocks, and over more tensors than are joined alike in any order. */
async function longSums(context: Context): Promise<void> {
  const random = Random.of(context.seed, "long sums");
  const { rule } = defineRule({
    name: "long-sums",
    hyperparameters: { learningRate: nonNegative(0.01) },
    perElement: `
      u = g * sumTensor(g) * learningRate + p * normAll(g) * 0.01 + meanAll(p * g) + maxAll(g)
    `,
  });
  const lengths = [
    random.integer(4097, 6000),
    ...Array.from({ length: 20 }, () => random.integer(1, 300)),
  ];
  // Of one magnitude, so that no value hides the rounding of the others.
  const valuesOf = (length: number): Float32Array =>
    Float32Array.from({ length }, () => random.between(-1, 1));
  const initial = Object.fromEntries(
    random
      .sample(lengths, lengths.length)
      .map((size, i) => [`p${i}`, { shape: [size], values: valuesOf(size) }]),
  );
  const harness = await Harness.start(context, rule.specify({}), initial);
  const steps = context.cases >= 16 ? 3 : 1;
  for (let step = 0; step < steps; step += 1) {
    await harness.step(
      Object.fromEntries(
        Object.entries(initial).map(([name, { values }]) => [name, valuesOf(values.length)]),
      ),
    );
  }
  harness.optimizer.dispose();
  await sumsOfTensors(context);
  context.stats.cases += 1;
}

/**
 * One value per tensor, whose sum is 2⁻²³ if neighbors are joined first, as the language defines. One after the other
 * they give 0, from the last to the first 3 · 2⁻²⁴.
 */
async function sumsOfTensors(context: Context): Promise<void> {
  const { rule } = defineRule({
    name: "sums-of-tensors",
    hyperparameters: { learningRate: nonNegative(1) },
    perElement: "u = sumAll(g) * learningRate",
  });
  const values = [1, 2 ** -24, 2 ** -24, 2 ** -24, -1];
  const tensors = (valueAt: (i: number) => number): Record<string, Float32Array> =>
    Object.fromEntries(values.map((_, i) => [`p${i}`, Float32Array.of(valueAt(i))]));
  const initial = Object.entries(tensors(() => 0)).map(
    ([name, zero]) => [name, { shape: [1], values: zero }] as const,
  );
  const harness = await Harness.start(context, rule.specify({}), Object.fromEntries(initial));
  await harness.step(tensors((i) => values[i]));
  harness.optimizer.dispose();
}

/** What an optimizer is made of. */
interface Setup {
  readonly spec: OptimizerSpec;
  readonly groups?: readonly GroupOptions[];
}

async function randomCases(
  context: Context,
  label: string,
  least: number,
  setupOf: (random: Random, name: string, copies: boolean) => Setup,
): Promise<void> {
  const backend = await context.target.backend();
  const hasRows = backend.remap !== undefined && context.target.rows !== false;
  const hasCopies = backend.copy !== undefined;
  // Each has a kernel of its own.
  const count = Math.min(
    Math.max(least, Math.ceil((context.cases * least) / 400)),
    context.maxKernels,
  );
  for (let i = 0; i < count; i += 1) {
    const random = Random.of(context.seed, label, i);
    const setup = setupOf(random, `random-${i}`, hasCopies);
    const { spec, groups = [] } = setup;
    try {
      await randomCase(context, setup, hasRows, random);
    } catch (error) {
      const texts = [spec, ...groups.flatMap(({ rule }) => rule ?? [])].map(
        ({ rule }) => rule.variant().perElement.source,
      );
      throw inCase(error, `${label} case ${i}, seed ${context.seed}: ${texts.join("\n---\n")}`);
    }
    context.stats.cases += 1;
  }
}

async function randomCase(
  context: Context,
  { spec, groups = [] }: Setup,
  hasRows: boolean,
  random: Random,
): Promise<void> {
  const names = ["first", "second", "third"].slice(0, random.integer(groups.length + 1, 3));
  const initial = Object.fromEntries(
    names.map((name, i) => {
      // With rules of groups, at least one tensor has one dimension, and one has two.
      const shape =
        groups.length > 0 && i < 2
          ? [random.integer(1, 8), random.integer(1, 6)].slice(0, i + 1)
          : randomShape(random.chance(0.002) ? 5000 : 30, random);
      return [name, { shape, values: randomParameter(sizeOf(shape), random) }];
    }),
  );
  const harness = await Harness.start(context, spec, initial, groups);
  const canMask = [spec, ...groups.flatMap(({ rule }) => rule ?? [])].every(
    ({ rule }) => rule.variant().slots.length < maxSlots,
  );
  // Steps with masks have kernels of their own, which take long to compile: most cases have steps of one kind only.
  const maskChance = random.pick([0, 0, 0.5, 1]);
  for (let step = 0; step < 3; step += 1) {
    const given = names.filter(() => random.chance(0.9));
    const gradients = Object.fromEntries(
      (given.length === 0 ? names : given).map((name) => [
        name,
        randomGradient(initial[name].values.length, random),
      ]),
    );
    const masked = Object.keys(gradients).filter((name) => initial[name].shape.length > 0);
    const options =
      hasRows && canMask && masked.length > 0 && random.chance(maskChance)
        ? masksOf(
            masked.map((name) => [name, initial[name].shape[0]]),
            random,
          )
        : undefined;
    await harness.step(gradients, random.chance(0.3) ? names : [], options);
  }
  harness.optimizer.dispose();
}

function masksOf(
  rows: readonly (readonly [name: string, count: number])[],
  random: Random,
): StepOptions {
  const mask = (length: number): Uint32Array => {
    const probability = random.pick([0.2, 0.8, 1]);
    return Uint32Array.from({ length }, () =>
      random.chance(probability) ? random.pick([1, 7]) : 0,
    );
  };
  return {
    rows: Object.fromEntries(rows.map(([name, count]) => [name, mask(count)])),
    unselectedRows: random.pick<UnselectedRows>(["keep", "decay", "zero"]),
  };
}

/** A rule with a metric, or a chain. */
function randomSpec(name: string, random: Random, copies: boolean, metric: string): OptimizerSpec {
  return random.chance(0.4)
    ? randomChain(name, random, copies)
    : randomReducingRule(name, random, { copies, maxSlots, metric }).specify({});
}

/**
 * A rule with up to four stages: random ones and built-in ones, one for each array that a stage can update, and sometimes
 * a second one for one of them.
 */
function randomChain(name: string, random: Random, copies: boolean): OptimizerSpec {
  const isReducing = random.chance(0.6);
  const rule = isReducing
    ? randomReducingRule(name, random, { copies, maxSlots: 2 })
    : randomRule(name, random);
  // A random rule of elements assigns p itself.
  const places = (["g", "u", "p"] as const).filter((one) => isReducing || one !== "u");
  const links: StageSpec[] = [];
  const chosen = random.sample(places, random.integer(1, places.length));
  if (random.chance(0.5)) chosen.push(random.pick(chosen));
  for (const updated of chosen) {
    const used = [rule, ...links.map(({ stage }) => stage)].map(
      (one) => one.variant().slots.length,
    );
    const left = maxSlots - used.reduce((sum, length) => sum + length, 0);
    const link = randomLink(updated, copies, left, random);
    if (links.every(({ stage }) => stage.name !== link.stage.name)) links.push(link);
  }
  const linksOf = (updated: UpdatedArray): readonly StageSpec[] =>
    links.filter(({ stage }) => stage.updated === updated);
  return chain(...linksOf("g"), rule.specify({}), ...linksOf("u"), ...linksOf("p"));
}

function randomLink(
  updated: UpdatedArray,
  copies: boolean,
  slotsLeft: number,
  random: Random,
): StageSpec {
  if (slotsLeft > 0 && random.chance(0.5)) return randomStage(updated, random);
  const stage = random.pick(
    stages.filter((one) => {
      const { slots } = one.variant();
      const isPossible = copies || slots.every(({ initial }) => initial !== "p");
      // Some read slots that only certain rules have.
      const isForAny = Object.keys(one.reads).length === 0;
      return one.updated === updated && isPossible && isForAny && slots.length <= slotsLeft;
    }),
  );
  const settings = randomSettings(stage, random.integer(0, choiceCount(stage) - 1), random);
  return { stage, ...stage.specify(settings) };
}
