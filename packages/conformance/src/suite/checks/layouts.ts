import type { GroupOptions, OptimizerSpec, Rule, UnselectedRows } from "@gradstep/core";
import { inCase } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { randomLaidOutParameter } from "../layouts/random-laid-out-parameter.js";
import type { LaidOutStep } from "../layouts/laid-out-step.js";
import { LayoutHarness } from "../layouts/layout-harness.js";
import { randomReducingRule } from "../random/random-reducing-rule.js";
import { choiceCount, randomHyperparameter, randomSettings } from "../random/random-settings.js";
import { Random } from "../random/random.js";
import { elementwise } from "../rule-needs.js";

const group = "layouts";
const steps = 3;
/** The most rows for which a field has memory. */
const maxRows = 9;

/** A case on a backend that moves rows or does not. */
type LayoutCase = (
  context: Context,
  spec: OptimizerSpec,
  hasRows: boolean,
  random: Random,
) => Promise<void>;

/**
 * Parameters, slots, gradients and copies as fields in caller-owned memory, at any distance, of any type: each step is
 * what it is with plain arrays.
 */
export function layoutChecks(all: readonly Rule[]): readonly Check[] {
  const rules = elementwise(all);
  const anyRule = (random: Random, i: number): OptimizerSpec => {
    const rule = rules[i % rules.length];
    return rule.specify(randomSettings(rule, random.integer(0, choiceCount(rule) - 1), random));
  };
  const anyReducingRule = (random: Random, i: number): OptimizerSpec =>
    randomReducingRule(`laid-out-${i}`, random, { copies: true, maxSlots: 3 }).specify({});
  const ofRules: readonly Check[] = [
    {
      group,
      name: "fields of any stride, offset and type, with activations",
      needs: ["layouts"],
      run: (context) =>
        runCases(context, context.cases, { label: "elements", specOf: anyRule, run: steppedCase }),
    },
    {
      group,
      name: "rows of fields are moved, added and reset",
      needs: ["layouts", "rows"],
      run: (context) =>
        runCases(context, context.sequences, { label: "rows", specOf: anyRule, run: movedCase }),
    },
  ];
  return [
    ...(rules.length > 0 ? ofRules : []),
    {
      group,
      name: "rules with reductions, and slots of every extent",
      needs: ["layouts", "reductions", "copies"],
      run: (context) =>
        runCases(context, context.cases / 10, {
          label: "reductions",
          specOf: anyReducingRule,
          run: steppedCase,
        }),
    },
  ];
}

/** Random cases of one kind. */
interface LayoutCases {
  /** Tells their random numbers from those of other kinds. */
  readonly label: string;
  readonly specOf: (random: Random, index: number) => OptimizerSpec;
  readonly run: LayoutCase;
}

async function runCases(
  context: Context,
  cases: number,
  { label, specOf, run }: LayoutCases,
): Promise<void> {
  const { maxKernels, seed, stats, target } = context;
  const hasRows = target.rows !== false && (await target.backend()).remap !== undefined;
  const count = Math.min(Math.ceil(cases), 2 * maxKernels);
  for (let i = 0; i < count; i += 1) {
    const random = Random.of(seed, `layouts ${label}`, i);
    const spec = specOf(random, i);
    try {
      await run(context, spec, hasRows, random);
    } catch (error) {
      const { options, rule } = spec;
      throw inCase(error, `${rule.name}, layout ${i}, seed ${seed}, ${JSON.stringify(options)}`);
    }
    stats.cases += 1;
  }
}

/** Steps of a few parameters, with masks, missing gradients, scales, skips and clearing. */
const steppedCase: LayoutCase = async (context, spec, hasRows, random) => {
  const names = ["first", "second", "third"].slice(0, random.integer(1, 3));
  const rows = random.integer(1, maxRows);
  const parameters = Object.fromEntries(
    names.map((name) => {
      const own = random.chance(0.7) ? rows : random.integer(1, maxRows);
      return [name, randomLaidOutParameter(spec, own, random)];
    }),
  );
  const groups = names.slice(1).map((match) => randomGroup(match, spec, random));
  const harness = await LayoutHarness.start(context, { spec, parameters, groups, random });
  if (random.chance(0.5)) await harness.reset();
  await harness.fillCopies();
  for (let step = 0; step < steps; step += 1) await randomStep(harness, names, hasRows, random);
  harness.optimizer.dispose();
};

/** Remaps between steps. */
const movedCase: LayoutCase = async (context, spec, hasRows, random) => {
  const names = ["first", "second"];
  const rows = random.integer(1, maxRows);
  const parameters = Object.fromEntries(
    names.map((name) => [
      name,
      { ...randomLaidOutParameter(spec, rows, random), capacity: maxRows },
    ]),
  );
  const groups = [randomGroup("second", spec, random)];
  const harness = await LayoutHarness.start(context, { spec, parameters, groups, random });
  for (let i = 0; i < 2; i += 1) {
    await randomStep(harness, names, hasRows, random);
    await harness.remap(maxRows, random);
  }
  await randomStep(harness, names, hasRows, random);
  harness.optimizer.dispose();
};

function randomGroup(match: string, { rule }: OptimizerSpec, random: Random): GroupOptions {
  const { learningRate } = rule.hyperparameters;
  return { match, learningRate: randomHyperparameter("learningRate", learningRate, random) };
}

async function randomStep(
  harness: LayoutHarness,
  names: readonly string[],
  hasRows: boolean,
  random: Random,
): Promise<void> {
  const some = names.filter(() => random.chance(0.85));
  const stepped = some.length > 0 ? some : names;
  const rowCounts = Object.fromEntries(stepped.map((name) => [name, harness.rowsOf(name)]));
  await harness.step(stepped, randomOptions(rowCounts, hasRows, random), random);
}

/** @param rowCounts of the parameters, by name */
function randomOptions(
  rowCounts: Readonly<Record<string, number>>,
  hasRows: boolean,
  random: Random,
): LaidOutStep {
  const mask = (length: number): Uint32Array =>
    Uint32Array.from({ length }, () => (random.chance(0.5) ? random.pick([1, 7, 0xffff_ffff]) : 0));
  const counts = Object.values(rowCounts);
  const isShared = counts.every((count) => count === counts[0]) && random.chance(0.5);
  const masks = isShared
    ? mask(counts[0])
    : Object.fromEntries(
        Object.entries(rowCounts)
          .filter(() => random.chance(0.7))
          .map(([name, count]) => [name, mask(count)]),
      );
  return {
    ...(hasRows && random.chance(0.4)
      ? { rows: masks, unselectedRows: random.pick<UnselectedRows>(["keep", "decay", "zero"]) }
      : {}),
    ...(random.chance(0.5) ? { clear: true } : {}),
    ...(random.chance(0.25)
      ? { scale: 10 ** random.between(-3, 2), isScaleTensor: random.chance(0.5) }
      : {}),
    ...(random.chance(0.2) ? { isSkipped: random.chance(0.6) } : {}),
    ...(random.chance(0.2)
      ? {
          learningRate: Object.fromEntries(
            Object.keys(rowCounts).map((name) => [name, 10 ** random.between(-4, -1)]),
          ),
        }
      : {}),
  };
}
