import {
  sizeOf,
  type GroupOptions,
  type OptimizerSpec,
  type StepOptions,
  type UnselectedRows,
} from "@gradstep/core";
import { inCase } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { Harness } from "../harness.js";
import { maxSlots, randomChain, randomSpec } from "../random/random-chain.js";
import { randomReducingRule } from "../random/random-reducing-rule.js";
import { randomGradient, randomParameter, randomShape } from "../random/random-values.js";
import { Random } from "../random/random.js";
import { longSums } from "./long-sums.js";

const group = "rules with reductions";

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
