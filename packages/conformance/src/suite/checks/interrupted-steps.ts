import {
  adam,
  cosineDecay,
  sgd,
  type Gradients,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
  type StepOptions,
  type Tensor,
} from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertEqual, assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { Random } from "../random/random.js";
import { randomParameter } from "../random/random-values.js";

const shapes = { a: [4, 3], b: [6], c: [5], d: [2] } as const;
type Name = keyof typeof shapes;
const names = Object.keys(shapes) as Name[];
const sizes: Readonly<Record<Name, number>> = { a: 12, b: 6, c: 5, d: 2 };

/** One call of an optimizer: the same in the run that is interrupted and in the one that is not. */
interface Call {
  readonly gradients: Gradients;
  readonly options?: StepOptions | undefined;
}

interface Interruption {
  readonly spec: OptimizerSpec;
  readonly options: OptimizerOptions;
  /** Changes that only a state carries over: to be made before the first call of the first optimizer. */
  readonly prepare?: (optimizer: Optimizer) => void;
  readonly calls: readonly Call[];
  /** The number of calls before the interruption. */
  readonly before: number;
}

/** States of what lies between steps: accumulated gradients, loss scales, steps of rows, frozen groups. */
export const interruptedStepChecks: readonly Check[] = [
  {
    group: "state",
    name: "training resumes between the calls of one step",
    run: async (context) => {
      const interruption = betweenCalls(context.seed, false);
      await resume(context, interruption);
      // After a whole step there is nothing to restore, and what the other optimizer has is dropped.
      await resume(context, { ...interruption, before: 6 });
    },
  },
  {
    group: "state",
    name: "training resumes between the calls of one step, with rows that were selected",
    needs: ["rows"],
    run: (context) => resume(context, betweenCalls(context.seed, true)),
  },
  {
    group: "state",
    name: "training resumes with the loss scale that skipped steps have left",
    needs: ["skippedSteps"],
    run: (context) => resume(context, afterSkippedSteps(context.seed)),
  },
  {
    group: "state",
    name: "training resumes with the steps of each row",
    needs: ["rows", "rowSteps"],
    run: (context) => resume(context, withRowSteps(context.seed)),
  },
];

function betweenCalls(seed: number, selectsRows: boolean): Interruption {
  const random = Random.of(seed, "between calls");
  const calls = Array.from({ length: 11 }, (_, i): Call => {
    // The step that is interrupted leaves the last row out; each of its calls selects one of the others.
    const isLastSelected = Math.floor(i / 3) !== 1;
    const mask = Uint32Array.from({ length: 4 }, (_row, row) =>
      row === i % 3 || (row === 3 && isLastSelected) ? 1 : 0,
    );
    // What happens to other rows is said in the first call of a step.
    const unselectedRows = i % 3 === 0 ? { unselectedRows: "decay" as const } : {};
    return {
      gradients: gradientsOf(random),
      ...(selectsRows && { options: { rows: { a: mask }, ...unselectedRows } }),
    };
  });
  return {
    spec: adam({ learningRate: cosineDecay(0.1, 20), weightDecay: 0.1 }),
    options: {
      accumulate: 3,
      schedulesCount: "calls",
      groups: [
        { match: "b", rule: sgd({ learningRate: 0.1, momentum: 0.9 }) },
        { match: "c", every: 2 },
        { match: "d" },
      ],
    },
    prepare: ({ groups }) => {
      groups[2].frozen = true;
    },
    calls,
    before: 5,
  };
}

function afterSkippedSteps(seed: number): Interruption {
  const random = Random.of(seed, "after skipped steps");
  const calls = Array.from({ length: 8 }, (_, i): Call => {
    const gradients = gradientsOf(random);
    if (i === 1) gradients.b[2] = Number.NaN;
    return { gradients };
  });
  return {
    spec: sgd({ learningRate: 0.1, momentum: 0.9 }),
    options: { lossScale: { initial: 4, growthInterval: 2 } },
    calls,
    before: 3,
  };
}

function withRowSteps(seed: number): Interruption {
  const random = Random.of(seed, "steps of rows");
  const calls = Array.from({ length: 8 }, (): Call => {
    const indices = Uint32Array.of(random.integer(0, 1), random.integer(2, 3));
    const { a: _, ...others } = gradientsOf(random);
    return { gradients: { ...others, a: { indices, values: gradientOf(6, random) } } };
  });
  return {
    spec: adam({ learningRate: 0.1 }),
    options: { sparse: "lazy", rowSteps: true },
    calls,
    before: 4,
  };
}

function gradientsOf(random: Random): Record<Name, Float32Array> {
  const entries = names.map((name) => [name, gradientOf(sizes[name], random)]);
  return Object.fromEntries(entries) as Record<Name, Float32Array>;
}

/** Of one magnitude, so that no value hides another one, and nothing is lost unseen. */
function gradientOf(size: number, random: Random): Float32Array {
  return Float32Array.from({ length: size }, () => random.between(-1, 1));
}

async function resume({ target, seed }: Context, interruption: Interruption): Promise<void> {
  const { spec, options, prepare, calls, before } = interruption;
  const random = Random.of(seed, "parameters");
  const initial = Object.fromEntries(
    names.map((name) => [name, randomParameter(sizes[name], random)]),
  );
  const start = async (values: Readonly<Record<string, ArrayLike<number>>>) => {
    const backend = await target.backend();
    const parameters: Record<string, Tensor> = {};
    for (const name of names) parameters[name] = backend.tensor(shapes[name], values[name]);
    const optimizer = target.create(spec, parameters, options) as unknown as Optimizer;
    return { parameters, optimizer };
  };
  const whole = await start(initial);
  prepare?.(whole.optimizer);
  const take = (optimizer: Optimizer, from: number, to: number): void => {
    for (const call of calls.slice(from, to)) optimizer.step(call.gradients, call.options);
  };
  take(whole.optimizer, 0, before);
  const half = await snapshot(whole.optimizer, whole.parameters);
  // A state is what it was when it was asked for.
  const reading = whole.optimizer.state();
  take(whole.optimizer, before, calls.length);
  const state = structuredClone(await reading);
  const resumed = await start(
    Object.fromEntries(Object.entries(half).map(([name, { p }]) => [name, p])),
  );
  // The optimizer is in the middle of another run.
  take(resumed.optimizer, 0, 1);
  for (const name of names) resumed.parameters[name].write(half[name].p);
  resumed.optimizer.restore(state);
  take(resumed.optimizer, before, calls.length);
  assertSameAll(
    await snapshot(resumed.optimizer, resumed.parameters),
    await snapshot(whole.optimizer, whole.parameters),
    `after ${calls.length} calls, with a restore after ${before}`,
  );
  const counts = async ({ optimizer }: { optimizer: Optimizer }): Promise<unknown> => {
    const { iterations, groups, rowSteps, control } = await optimizer.state();
    const { microSteps, skippedSteps, lossScale } = control ?? {};
    return { iterations, groups, rowSteps, microSteps, skippedSteps, lossScale };
  };
  assertEqual(await counts(resumed), await counts(whole), "what a resumed optimizer has counted");
  for (const { optimizer } of [whole, resumed]) optimizer.dispose();
}
