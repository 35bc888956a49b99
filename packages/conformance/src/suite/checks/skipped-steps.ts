import {
  adamw,
  nadam,
  variantOf,
  warmup,
  type Gradients,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
  type Rule,
  type StepOptions,
  type Tensor,
} from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertCode, assertEqual, assertSameAll, inCase } from "../assertions.js";
import type { Capability, Check, Context } from "../check.js";
import { choiceCount, randomSettings } from "../random/random-settings.js";
import { Random } from "../random/random.js";
import { elementwise, needsOf } from "../rule-needs.js";

const shapes = { w: [4, 3], b: [3], s: [2] } as const;
const sizes = { w: 12, b: 3, s: 2 } as const;
const steps = 7;

interface Call {
  readonly gradients: Gradients;
  readonly options?: StepOptions;
}

/** Training of which some steps are skipped. */
interface Training {
  readonly name: string;
  readonly needs?: readonly Capability[];
  readonly spec: (random: Random) => OptimizerSpec;
  /** Those of both optimizers. `nonFinite` belongs to one alone, unless both need it. */
  readonly options: OptimizerOptions;
  /** The calls of one step, which is the `step`-th that is taken unless it `isBad`. */
  readonly calls: (random: Random, isBad: boolean, step: number) => readonly Call[];
}

/**
 * Skipped steps leave no trace: the next steps are those of an optimizer that never saw them. A device may decide which
 * steps are skipped, so that the host does not know which step it prepares before it reads the counts.
 */
export function skippedStepChecks(rules: readonly Rule[]): readonly Check[] {
  const keeping = rules.filter(
    (rule) => Object.keys(variantOf(rule.specify({})).persistentScalars).length > 0,
  );
  const anyRule = (random: Random): OptimizerSpec => {
    const simple = elementwise(rules);
    return randomSpec(random.pick(simple.length === 0 ? rules : simple), random);
  };
  const needs = elementwise(rules).length === 0 ? rules.flatMap(needsOf) : [];
  const warmedUp =
    (rule: Rule) =>
    (random: Random): OptimizerSpec => ({
      ...randomSpec(rule, random),
      ...(Object.hasOwn(rule.hyperparameters, "learningRate") && {
        hyperparameters: { ...rule.specify({}).hyperparameters, learningRate: warmup(5, 0.1) },
      }),
    });
  const trainings: readonly Training[] = [
    ...keeping.map((rule): Training => ({
      name: `of ${rule.name}, which keeps scalars, in groups that are updated every few steps,`,
      needs: needsOf(rule),
      spec: warmedUp(rule),
      options: { groups: [{ match: "b", every: 3 }] },
      calls: callsWithoutEvery,
    })),
    ...keeping.map((rule): Training => ({
      name: `of ${rule.name}, which keeps scalars,`,
      needs: needsOf(rule),
      spec: warmedUp(rule),
      // The other rule shares the steps.
      options: { groups: [{ match: "b", rule: nadam() }] },
      calls: denseCalls,
    })),
    {
      name: "with groups that are updated every few steps",
      needs,
      spec: anyRule,
      options: {
        groups: [
          { match: "b", every: 3 },
          { match: "s", every: 2 },
        ],
      },
      calls: (random, isBad, step) => {
        const gradients = dense(random);
        if (isBad) spoil(gradients.w, random);
        // Where its group takes no part, a gradient may be anything.
        else if (step % 3 !== 0) gradients.b[1] = Number.NaN;
        return [{ gradients }];
      },
    },
    {
      name: "of several calls, with groups that are updated every few steps,",
      needs,
      spec: anyRule,
      options: { accumulate: 2, groups: [{ match: "b", every: 2 }] },
      calls: (random, isBad, step) => {
        const bad = random.integer(0, 1);
        return [0, 1].map((call) => {
          const gradients = dense(random);
          if (isBad && call === bad) spoil(gradients.w, random);
          else if (!isBad && step % 2 !== 0) gradients.b[1] = Number.NaN;
          return { gradients };
        });
      },
    },
    {
      name: "with lazy sparse gradients",
      needs: [...needs, "rows"],
      spec: anyRule,
      options: { sparse: "lazy" },
      calls: (random, isBad) => {
        const indices = Uint32Array.of(random.integer(0, 3), random.integer(0, 3));
        const values = randomValues(6, random);
        if (isBad) spoil(values, random);
        return [{ gradients: { w: { indices, values }, b: randomValues(3, random) } }];
      },
    },
    ...[{}, { lossScale: 8 }].map((options): Training => ({
      name: `with rows that count their own steps${"lossScale" in options ? ", and a loss scale" : ""}`,
      needs: ["rows", "rowSteps"],
      spec: (random) => adamw({ learningRate: random.pick([0.1, warmup(5, 0.1)]) }),
      options: { ...options, sparse: "lazy", rowSteps: true },
      calls: (random, isBad) => {
        const indices = Uint32Array.of(random.integer(0, 3), random.integer(0, 3));
        const values = randomValues(6, random);
        if (isBad) spoil(values, random);
        return [{ gradients: { w: { indices, values }, b: randomValues(3, random) } }];
      },
    })),
    {
      name: "with masks that select one row or none",
      needs: [...needs, "rows"],
      spec: anyRule,
      options: {},
      calls: (random, isBad, step) => {
        const rows = new Uint32Array(4);
        const selected = random.integer(0, 3);
        rows[selected] = isBad || step % 2 === 0 ? 1 : 0;
        const w = randomValues(12, random);
        // Where the mask leaves a row out, a gradient may be anything.
        w[3 * (isBad ? selected : (selected + 1) % 4)] = Number.NaN;
        return [{ gradients: { w }, options: { rows } }];
      },
    },
    {
      name: "of several calls with masks",
      needs: [...needs, "rows"],
      spec: anyRule,
      options: { accumulate: 3 },
      calls: (random, isBad) => {
        const bad = isBad ? random.integer(0, 2) : -1;
        return [0, 1, 2].map((call) => {
          const gradients = dense(random);
          const rows = Uint32Array.from({ length: 4 }, () => random.integer(0, 1));
          if (call === bad) {
            const row = random.integer(0, 3);
            rows[row] = 1;
            gradients.w[3 * row] = Number.NaN;
          }
          return { gradients, options: { rows: { w: rows } } };
        });
      },
    },
    {
      name: "with a loss scale",
      needs,
      spec: () => nadam({ learningRate: warmup(5, 0.1) }),
      options: { lossScale: 8, groups: [{ match: "b", every: 2 }] },
      calls: callsWithoutEvery,
    },
    {
      name: "with a loss scale, and a gradient that they alone have,",
      needs,
      spec: anyRule,
      options: { lossScale: 8, groups: [{ match: "b", every: 2 }] },
      calls: (random, isBad) => {
        const { b, ...gradients } = dense(random);
        if (isBad) spoil(gradients.w, random);
        return [{ gradients: isBad ? { b, ...gradients } : gradients }];
      },
    },
  ];
  return [
    ...trainings.map((training) => ({
      group: "calls and steps",
      name: `nonFinite: skipped steps ${training.name} leave no trace`,
      needs: [...new Set<Capability>([...(training.needs ?? []), "skippedSteps"])],
      run: (context: Context) => train(context, training),
    })),
    {
      group: "calls and steps",
      name: "nonFinite: a step that is refused leaves no trace",
      needs: ["skippedSteps"],
      run: refuse,
    },
  ];
}

function randomSpec(rule: Rule, random: Random): OptimizerSpec {
  return rule.specify(randomSettings(rule, random.integer(0, choiceCount(rule) - 1), random));
}

function randomValues(size: number, random: Random): Float32Array {
  return Float32Array.from({ length: size }, () => random.between(-1, 1));
}

function dense(random: Random): { w: Float32Array; b: Float32Array; s: Float32Array } {
  const of = (name: keyof typeof sizes): Float32Array => randomValues(sizes[name], random);
  return { w: of("w"), b: of("b"), s: of("s") };
}

function spoil(values: Float32Array, random: Random): void {
  const value = random.pick([Number.NaN, Infinity, -Infinity]);
  values[random.integer(0, values.length - 1)] = value;
}

function denseCalls(random: Random, isBad: boolean, _step?: number): readonly Call[] {
  const gradients = dense(random);
  if (isBad) spoil(random.pick([gradients.w, gradients.b, gradients.s]), random);
  return [{ gradients }];
}

/** What is not finite is in a group that each step updates. */
function callsWithoutEvery(random: Random, isBad: boolean, _step?: number): readonly Call[] {
  const gradients = dense(random);
  if (isBad) spoil(gradients.w, random);
  return [{ gradients }];
}

interface Run {
  readonly optimizer: Optimizer;
  readonly parameters: Readonly<Record<string, Tensor>>;
  readonly take: (calls: readonly Call[]) => void;
}

/** Two optimizers of the same parameters, of which the first skips or refuses steps. */
async function startBoth(
  { target }: Context,
  { spec, options }: { readonly spec: OptimizerSpec; readonly options: OptimizerOptions },
  nonFinite: "skip" | "throw",
  random: Random,
): Promise<readonly [Run, Run]> {
  const backend = await target.backend();
  const initial = dense(random);
  const start = (own: OptimizerOptions): Run => {
    const parameters = Object.fromEntries(
      (["w", "b", "s"] as const).map((name) => [name, backend.tensor(shapes[name], initial[name])]),
    );
    const made = target.create<OptimizerSpec>(spec, parameters, { ...options, ...own });
    const optimizer = made as unknown as Optimizer;
    return {
      optimizer,
      parameters,
      take: (calls) => {
        for (const call of calls) optimizer.step(call.gradients, call.options);
      },
    };
  };
  return [start({ nonFinite }), start({})];
}

async function train(
  context: Context,
  { name, spec: specOf, options, calls }: Training,
): Promise<void> {
  const random = Random.of(context.seed, `skipped steps ${name}`);
  const spec = specOf(random);
  try {
    const [skipping, plain] = await startBoth(context, { spec, options }, "skip", random);
    let skipped = 0;
    const skip = (step: number): void => {
      skipping.take(calls(random, true, step));
      skipped += 1;
    };
    for (let step = 1; step <= steps; step += 1) {
      for (let left = random.integer(step === 2 ? 1 : 0, 2); left > 0; left -= 1) skip(step);
      // Steps are taken while the counts are being read.
      const reading = step === 4 ? skipping.optimizer.metrics() : undefined;
      if (step === 4) skip(step);
      const good = calls(random, false, step);
      for (const one of [skipping, plain]) one.take(good);
      await reading;
    }
    await compare(skipping, plain, `after ${steps} steps, and ${skipped} that were skipped`);
    const metrics = await skipping.optimizer.metrics();
    assertEqual(metrics.skippedSteps, skipped, "skippedSteps");
    for (const { optimizer } of [skipping, plain]) optimizer.dispose();
  } catch (error) {
    throw inCase(error, `${spec.rule.name}, seed ${context.seed}`);
  }
}

/** The host refuses a step at once, a device when its counts are read. */
async function refuse(context: Context): Promise<void> {
  const random = Random.of(context.seed, "refused steps");
  const [refusing, plain] = await startBoth(
    context,
    { spec: nadam(), options: {} },
    "throw",
    random,
  );
  for (let step = 1; step <= 4; step += 1) {
    await assertCode("NON_FINITE", "a step with a gradient that is not finite", async () => {
      refusing.take(denseCalls(random, true, step));
      await refusing.optimizer.metrics();
    });
    const good = denseCalls(random, false, step);
    for (const one of [refusing, plain]) one.take(good);
    await compare(refusing, plain, `after step ${step}, and ${step} that were refused`);
  }
  for (const { optimizer } of [refusing, plain]) optimizer.dispose();
}

async function compare(got: Run, expected: Run, where: string): Promise<void> {
  assertSameAll(
    await snapshot(got.optimizer, got.parameters),
    await snapshot(expected.optimizer, expected.parameters),
    where,
  );
  const counts = async ({ optimizer }: Run): Promise<unknown> => {
    const { iterations, groups, rowSteps = {} } = await optimizer.state();
    return [
      iterations,
      Object.entries(rowSteps).map(([name, steps]) => [name, ...steps]),
      groups.map((group) => [group.iterations, group.persistentScalars]),
      optimizer.iterations,
    ];
  };
  assertEqual(await counts(got), await counts(expected), `what is counted ${where}`);
}
