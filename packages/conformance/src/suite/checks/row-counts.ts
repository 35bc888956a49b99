import {
  adamw,
  sgd,
  type Backend,
  type Gradients,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerState,
  type StepOptions,
  type Tensor,
  type Values,
} from "@gradstep/core";
import { assert, assertEqual, assertSame } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { Random } from "../random/random.js";
import { randomParameter } from "../random/random-values.js";

const rows = 5;
const columns = 3;
const spec = adamw({ learningRate: 0.1, weightDecay: 0.1 });

/** What training with a number of rows is checked with: options, and the gradient of each call. */
interface Training {
  readonly name: string;
  readonly options: OptimizerOptions;
  /** The gradients of a parameter with `rows` rows. Row i has the same values whatever `rows` is. */
  readonly gradients: (random: Random, rows: number) => Gradients;
  readonly stepOptions?: StepOptions;
}

/** An optimizer that counts fewer rows than its parameter has, and its state at first. */
interface Counted {
  readonly w: Tensor;
  readonly optimizer: Optimizer;
  readonly state: OptimizerState;
}

const dense = (random: Random, count: number): Gradients => ({
  w: randomValues(rows, random).subarray(0, count * columns),
});

const sparse = (random: Random): Gradients => ({
  w: { indices: Uint32Array.of(2, 0, 2), values: randomValues(3, random) },
});

const trainings: readonly Training[] = [
  { name: "gradients of all rows", options: {}, gradients: dense },
  { name: "accumulated gradients", options: { accumulate: 2 }, gradients: dense },
  {
    name: "accumulated gradients, with an option for the rows of masks",
    options: { accumulate: 2 },
    gradients: dense,
    stepOptions: { unselectedRows: "zero" },
  },
  {
    name: "accumulated gradients that are not finite there",
    options: { accumulate: 2, nonFinite: "skip" },
    gradients: (random, count) => {
      const w = randomValues(rows, random);
      w[w.length - 1] = Number.NaN;
      return { w: w.subarray(0, count * columns) };
    },
  },
  { name: "sparse gradients", options: { sparse: "dense" }, gradients: sparse },
  {
    name: "sparse gradients and options of steps",
    options: { sparse: "dense" },
    gradients: sparse,
    stepOptions: { scale: 0.5 },
  },
  {
    name: "accumulated sparse gradients",
    options: { sparse: "dense", accumulate: 2 },
    gradients: sparse,
  },
];

/** Where an optimizer has its number of rows from. */
const sources = { "in a state": restored, "at creation": created };

/** Numbers of rows, which steps on every backend hold to. */
export const rowCountChecks: readonly Check[] = [
  ...Object.entries(sources).flatMap(([source, startFewer]) =>
    trainings.map((training) => ({
      group: "state",
      name: `rows from the number ${source} on are left out: ${training.name}`,
      needs: [
        "rows" as const,
        ...(training.options.nonFinite === undefined ? [] : (["skippedSteps"] as const)),
      ],
      run: async (context: Context) => {
        for (const counted of [3, 4]) await trainFewer(context, training, startFewer, counted);
      },
    })),
  ),
  {
    group: "state",
    name: "the number of rows holds until rows are moved or another state is restored",
    needs: ["rows"],
    run: endOfNumber,
  },
  {
    group: "state",
    name: "each parameter has the number of rows that a state has of it",
    needs: ["rows"],
    run: numbersByName,
  },
];

/** What optimizers are made with. */
interface Setting {
  readonly context: Context;
  readonly backend: Backend;
  readonly options: OptimizerOptions;
}

/** Rows that are left out stay as they are; the others take the bits that they take without them. */
async function trainFewer(
  context: Context,
  training: Training,
  startFewer: typeof restored,
  counted: number,
): Promise<void> {
  const { options, gradients, stepOptions } = training;
  const random = Random.of(context.seed, `number of rows, ${training.name}`);
  const setting = { context, backend: await context.target.backend(), options };
  const all = await startFewer(setting, counted, random);
  const { w, state } = all;
  const few = start(setting, counted, (await w.read()).slice(0, counted * columns));
  const { rowCounts: _, ...rest } = firstRows(state, counted);
  few.optimizer.restore({ ...rest, shapes: { w: [counted, columns] } });
  const left = (await w.read()).slice(counted * columns);
  for (let call = 0; call < 6; call += 1) {
    const seed = random.integer(0, 2 ** 30);
    for (const [{ optimizer }, count] of [[all, rows] as const, [few, counted] as const])
      optimizer.step(gradients(new Random(seed), count), stepOptions);
  }
  const after = await all.optimizer.state();
  const expected = await few.optimizer.state();
  const where = `${spec.rule.name}, step ${after.iterations}, with ${counted} of ${rows} rows`;
  const first = counted * columns;
  const values = await w.read();
  assertSame(values.slice(0, first), await few.w.read(), where, 'p of "w"');
  assertSame(values.slice(first), left, `${where}, those left out`, 'p of "w"');
  for (const [name, slot] of Object.entries(after.slots.w)) {
    const tensor = `${name} of "w"`;
    assertSame(slot.slice(0, first), expected.slots.w[name], where, tensor);
    assertSame(
      slot.slice(first),
      state.slots.w[name].slice(first),
      `${where}, those left out`,
      tensor,
    );
  }
  await assertCount(all.optimizer, counted, where);
  for (const { optimizer } of [all, few]) optimizer.dispose();
}

async function endOfNumber(context: Context): Promise<void> {
  const random = Random.of(context.seed, "end of a number of rows");
  const backend = await context.target.backend();
  const counted = 3;
  const setting = { context, backend, options: {} };
  const { w, optimizer, state } = await restored(setting, counted, random);
  const gradient = backend.tensor([rows, columns]);
  /** Takes a step, which must change these rows and no others. */
  const step = async (changed: readonly number[], what: string, options?: StepOptions) => {
    gradient.write(randomValues(rows, random));
    const before = await w.read();
    optimizer.step({ w: gradient }, options);
    const after = await w.read();
    const where = `${spec.rule.name}, step ${optimizer.iterations}, ${what}`;
    const isChanged = (i: number): boolean => changed.includes(Math.floor(i / columns));
    const expected = after.map((value, i) => (isChanged(i) ? value : before[i]));
    assertSame(after, expected, where, 'p of "w"');
    const same = after.findIndex((value, i) => isChanged(i) && value === before[i]);
    assert(
      same < 0,
      `${where}: p of "w"[${same}] is ${after[same]} as before; expected another value (no bound)`,
    );
  };
  const below = [0, 1, 2];
  const every = [0, 1, 2, 3, 4];
  // Steps with the same tensors, which a backend may repeat as they were.
  for (let i = 0; i < 3; i += 1) await step(below, "with a number of rows");
  await step([1, 4], "with a mask", { rows: Uint32Array.of(0, 1, 0, 0, 1) });
  await step(below, "after a step with a mask");
  const mask = Uint32Array.of(0, 1, 0, 0, 1);
  await step(every, "with a mask and zero", { rows: mask, unselectedRows: "zero" });
  await step(below, "after a step with a mask and zero");
  await assertCount(optimizer, counted, "after steps");
  const { rowCounts: _, ...ofAll } = state;
  optimizer.restore(ofAll);
  await step(every, "after a state without a number of rows");
  await assertCount(optimizer, rows, "after a state without a number of rows");
  optimizer.restore(state);
  await step(below, "after a state with a number of rows");
  optimizer.rows("w").remap(Uint32Array.of(4, 3, 2, 1, 0));
  await step(every, "after a remap");
  await assertCount(optimizer, rows, "after a remap");
  optimizer.dispose();
}

/** With SGD and gradients of 1, a step subtracts 1 from the rows that are counted. */
async function numbersByName({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const counts = { first: 2, second: 3, third: 1, fourth: 3 };
  const parameters = Object.fromEntries(
    Object.keys(counts).map((name) => [name, backend.tensor([3, 1])]),
  );
  const optimizer = target.create(sgd({ learningRate: 1 }), parameters);
  const rowCounts = { third: counts.third, first: counts.first };
  optimizer.restore({ ...(await optimizer.state()), rowCounts });
  optimizer.step(
    Object.fromEntries(Object.keys(counts).map((name) => [name, new Float32Array(3).fill(1)])),
  );
  for (const [name, count] of Object.entries(counts))
    assertSame(
      await parameters[name].read(),
      [0, 1, 2].map((row) => (row < count ? -1 : 0)),
      "sgd, step 1, with numbers of rows by name",
      `p of "${name}"`,
    );
  const { rowCounts: after } = await optimizer.state();
  assertEqual(after, rowCounts, "the numbers of rows in a state, after a step");
  optimizer.dispose();
}

/** An optimizer that was made for fewer rows, and its state. */
async function created(setting: Setting, counted: number, random: Random): Promise<Counted> {
  const values = randomParameter(rows * columns, random);
  const options = { ...setting.options, rowCounts: counted };
  const made = start({ ...setting, options }, rows, values);
  return { ...made, state: await made.optimizer.state() };
}

/** An optimizer that was trained with all rows, with a state that counts fewer. */
async function restored(setting: Setting, counted: number, random: Random): Promise<Counted> {
  const trained = start(setting, rows, randomParameter(rows * columns, random));
  for (let i = 0; i < 2; i += 1) trained.optimizer.step({ w: randomValues(rows, random) });
  const state = { ...(await trained.optimizer.state()), rowCounts: { w: counted } };
  trained.optimizer.restore(structuredClone(state));
  return { ...trained, state };
}

function start(
  { context: { target }, backend, options }: Setting,
  count: number,
  values: ArrayLike<number>,
): { w: Tensor; optimizer: Optimizer } {
  const w = backend.tensor([count, columns], values);
  return { w, optimizer: target.create(spec, { w }, options) };
}

/** The state with slots of the rows that are counted. */
function firstRows(state: OptimizerState, counted: number): OptimizerState {
  const slots = Object.entries(state.slots.w).map(([name, values]): [string, Values] => [
    name,
    values.slice(0, counted * columns),
  ]);
  return { ...state, slots: { w: Object.fromEntries(slots) } };
}

async function assertCount(optimizer: Optimizer, expected: number, when: string): Promise<void> {
  const { rowCounts = {} } = await optimizer.state();
  const stated = expected < rows ? { w: expected } : {};
  assertEqual(rowCounts, stated, `the number of rows in a state, ${when}`);
  const { count } = optimizer.rows("w");
  assert(count === rows, `${when}: the tensors have ${count} rows; expected ${rows}`);
  assertEqual(await optimizer.rows("w").readCount(), expected, `the number of rows, ${when}`);
}

/** Of one magnitude, so that every row moves. */
function randomValues(count: number, random: Random): Float32Array {
  return Float32Array.from({ length: count * columns }, () => random.between(0.5, 1));
}
