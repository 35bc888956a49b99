import {
  slotShape,
  type Activation,
  type GroupOptions,
  type OptimizerSpec,
  type Rule,
  type StepOptions,
  type UnselectedRows,
} from "@gradstep/core";
import { inCase } from "../assertions.js";
import type { Check, Context } from "../check.js";
import type { LaidOutCopy, LaidOutParameter } from "../layouts/laid-out-parameter.js";
import { LayoutHarness } from "../layouts/layout-harness.js";
import { randomReducingRule } from "../random/random-reducing-rule.js";
import { choiceCount, randomHyperparameter, randomSettings } from "../random/random-settings.js";
import { randomGradient, randomParameter, sizeOfShape } from "../random/random-values.js";
import { Random } from "../random/random.js";
import { elementwise } from "../rule-needs.js";

const group = "layouts";
const steps = 3;
/** The largest number of caller-owned rows. */
const maxRows = 9;

/**
 * Parameters, slots, gradients and copies as fields in caller-owned memory, at any distance, of any type: each step is
 * what it is with plain arrays.
 */
export function layoutChecks(all: readonly Rule[]): readonly Check[] {
  const rules = elementwise(all);
  const reducing: Check = {
    group,
    name: "rules with reductions, and slots of every extent",
    needs: ["layouts", "reductions", "copies"],
    run: (context) =>
      layoutCases(context, context.cases / 10, "reductions", (random, i) =>
        randomReducingRule(`laid-out-${i}`, random, { copies: true, maxSlots: 3 }).specify({}),
      ),
  };
  if (rules.length === 0) return [reducing];
  return [
    {
      group,
      name: "fields of any stride, offset and type, with activations",
      needs: ["layouts"],
      run: (context) =>
        layoutCases(context, context.cases, "elements", (random, i) => {
          const rule = rules[i % rules.length];
          return rule.specify(
            randomSettings(rule, random.integer(0, choiceCount(rule) - 1), random),
          );
        }),
    },
    reducing,
  ];
}

async function layoutCases(
  context: Context,
  cases: number,
  label: string,
  specOf: (random: Random, index: number) => OptimizerSpec,
): Promise<void> {
  const hasRows =
    context.target.rows !== false && (await context.target.backend()).remap !== undefined;
  const count = Math.min(Math.ceil(cases), 2 * context.maxKernels);
  for (let i = 0; i < count; i += 1) {
    const random = Random.of(context.seed, `layouts ${label}`, i);
    const spec = specOf(random, i);
    try {
      await layoutCase(context, spec, hasRows, random);
    } catch (error) {
      throw inCase(
        error,
        `${spec.rule.name}, layout ${i}, seed ${context.seed}, ${JSON.stringify(spec.options)}`,
      );
    }
  }
}

/** Some steps of a few parameters, with masks, missing gradients and clearing. */
async function layoutCase(
  context: Context,
  spec: OptimizerSpec,
  hasRows: boolean,
  random: Random,
): Promise<void> {
  const names = ["first", "second", "third"].slice(0, random.integer(1, 3));
  const rows = random.integer(1, maxRows);
  const plan = Object.fromEntries(
    names.map((name) => [name, randomParameterPlan(spec, rows, random)]),
  );
  const groups = names.slice(1).map((match): GroupOptions => ({
    match,
    learningRate: randomHyperparameter(
      "learningRate",
      spec.rule.hyperparameters.learningRate,
      random,
    ),
  }));
  const harness = await LayoutHarness.start(context, spec, plan, groups, random);
  if (random.chance(0.5)) await harness.reset();
  await harness.fillCopies();
  for (let step = 0; step < steps; step += 1) {
    const stepped = names.filter(() => random.chance(0.85));
    await harness.step(
      stepped.length > 0 ? stepped : names,
      randomOptions(
        Object.fromEntries(names.map((name) => [name, plan[name].shape[0]])),
        hasRows,
        random,
      ),
      random,
    );
  }
  harness.optimizer.dispose();
  context.stats.cases += 1;
}

function randomParameterPlan(
  spec: OptimizerSpec,
  sharedRows: number,
  random: Random,
): LaidOutParameter {
  const rows = random.chance(0.7) ? sharedRows : random.integer(1, maxRows);
  const shape = random.pick([
    [rows],
    [rows, random.integer(1, 5)],
    [rows, random.integer(2, 4)],
    [rows, random.integer(1, 2), random.integer(1, 3)],
  ]);
  const { slots, matrices } = spec.rule.variant(spec.options);
  const owned = slots.filter(({ extent, isMetric }) => extent !== "all" && !isMetric);
  const callers = random.chance(0.6) ? owned.filter(() => random.chance(0.7)) : [];
  const copies = Array.from({ length: random.pick([0, 1, 1, 2]) }, (): LaidOutCopy => ({
    dtype: random.pick(["f32", "f16"]),
    activation: randomActivation(random),
  }));
  const activation = random.chance(0.4) ? randomActivation(random) : undefined;
  return {
    shape,
    values: randomValues(sizeOfShape(shape), random),
    isField: random.chance(0.8),
    gradient: random.pick([
      "array",
      { dtype: "f32" },
      { dtype: "f16" },
      { dtype: "i32", scale: 10 ** random.between(-8, -1) },
      { dtype: "u32", scale: 10 ** random.between(-8, -1) },
      { dtype: "i32", scale: 2 ** random.integer(-20, 0) },
    ] as const),
    ...(activation === undefined ? {} : { gradientActivation: activation }),
    slots: Object.fromEntries(
      callers.map(({ name, extent }) => {
        const own = slotShape(extent, shape, matrices);
        const values = randomGradient(sizeOfShape(own), random);
        // Most slots hold averages of gradients or of their squares.
        return [name, { shape: own, values: random.chance(0.5) ? values : values.map(Math.abs) }];
      }),
    ),
    copies,
  };
}

/** Values of a parameter; some of those for which activations are about to end in f32. */
function randomValues(length: number, random: Random): Float32Array {
  if (random.chance(0.7)) return randomParameter(length, random);
  const most = random.pick([25, 88, 110]);
  return Float32Array.from({ length }, () => random.between(-most, most));
}

function randomActivation(random: Random): Activation {
  return random.pick<() => Activation>([
    () => "identity",
    () => "exp",
    () => "sigmoid",
    () => "softplus",
    () => "normalize",
    () => ({
      kind: "affine",
      scale: random.magnitude(-2, 2),
      offset: random.chance(0.3) ? 0 : random.magnitude(-2, 2),
    }),
  ])();
}

/** @param rowCounts of the parameters, by name */
function randomOptions(
  rowCounts: Readonly<Record<string, number>>,
  hasRows: boolean,
  random: Random,
): StepOptions {
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
  };
}
