import {
  nadam,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
  type Rule,
  type Tensor,
} from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertCode, assertEqual, assertSameAll, inCase } from "../assertions.js";
import type { Capability, Check, Context } from "../check.js";
import { Random } from "../random/random.js";
import {
  dense,
  denseCalls,
  skippedStepTrainings,
  type Call,
  type Training,
} from "./skipped-step-trainings.js";

const shapes = { w: [4, 3], b: [3], s: [2] } as const;
const steps = 7;

/**
 * Skipped steps leave no trace: the next steps are those of an optimizer that never saw them. A device may decide which
 * steps are skipped, so that the host does not know which step it prepares before it reads the counts.
 */
export function skippedStepChecks(rules: readonly Rule[]): readonly Check[] {
  return [
    ...skippedStepTrainings(rules).map((training) => ({
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
