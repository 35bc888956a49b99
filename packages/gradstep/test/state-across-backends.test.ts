// A state is the same on every backend: it is moved from each to each other one.
import {
  adam,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  createOptimizer,
  ema,
  nadam,
  sgd,
  type Backend,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
  type OptimizerState,
  type Tensor,
} from "gradstep";
import { describe, expect, test } from "vitest";
import { backends } from "./backends.js";
import { bitsOf, randomOf } from "./random.js";

const exact = ["reference", "cpu-js exact", "wasm"];
const pairs = backends.flatMap(([from, make]) =>
  backends.map(([to, makeOther]) => ({ from, to, make, makeOther })),
);

const shapes = { w: [3, 4], b: [5], table: [4, 2] } as const;

/** What an optimizer can have on every backend. */
const optimizers: readonly [string, OptimizerSpec, OptimizerOptions, calls: number][] = [
  [
    "a chain, groups with rules and steps of their own, schedules",
    chain(
      clipByGlobalNorm(1),
      adam({ learningRate: cosineDecay(0.1, 20), amsgrad: true }),
      ema(0.9),
    ),
    {
      groups: [
        { match: "b", rule: sgd({ learningRate: 0.1, momentum: 0.9 }), every: 2 },
        { match: "table", frozen: true },
      ],
    },
    5,
  ],
  [
    "accumulated gradients, persistent scalars",
    nadam(),
    { accumulate: 3, schedulesCount: "calls" },
    5,
  ],
  ["a loss scale, skipped steps", adam(), { lossScale: { initial: 4, growthInterval: 2 } }, 4],
  ["steps of rows", adam(), { groups: [{ match: "table", sparse: "lazy", rowSteps: true }] }, 4],
];

interface Run {
  readonly optimizer: Optimizer;
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly dispose: () => void;
}

function start(backend: Backend, spec: OptimizerSpec, options: OptimizerOptions): Run {
  const random = randomOf(3);
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      backend.tensor(shape, random.values(shape.reduce((a: number, n) => a * n, 1))),
    ]),
  );
  const optimizer = createOptimizer(spec, tensors, options) as unknown as Optimizer;
  const dispose = (): void => {
    optimizer.dispose();
    backend.dispose?.();
  };
  return { optimizer, tensors, dispose };
}

function call({ optimizer }: Run, from: number, to: number): void {
  for (let i = from; i < to; i += 1) {
    const random = randomOf(100 + i);
    const w = random.values(12);
    // Skipped where steps can be.
    if (i === 2 && optimizer.config().lossScale !== undefined) w[3] = Number.NaN;
    const isSparse = i % 2 === 1 && optimizer.config().accumulate === undefined;
    const indices = Uint32Array.of(i % 4, (i + 2) % 4);
    const table = isSparse ? { indices, values: random.values(4) } : random.values(8);
    optimizer.step({ w, table, ...(i % 3 !== 1 && { b: random.values(5) }) });
  }
}

/** The same state with every kind of f32 in its slots. */
function withSpecialValues(state: OptimizerState): OptimizerState {
  const special = [Number.NaN, Infinity, -Infinity, -0, 2 ** -149, -(2 ** -127), 3.4028235e38];
  const slots = Object.entries(state.slots).map(([name, own]) => [
    name,
    Object.fromEntries(
      Object.entries(own).map(([slot, values]) => [
        slot,
        values.map((_, i) => special[i % special.length]),
      ]),
    ),
  ]);
  return { ...state, slots: Object.fromEntries(slots) };
}

describe.each(optimizers)("a state with %s", (_, spec, options, calls) => {
  test.each(pairs)("moves from $from to $to without a changed bit", async (pair) => {
    const source = start(pair.make(), spec, options);
    call(source, 0, calls);
    const state = structuredClone(await source.optimizer.state());
    const target = start(pair.makeOther(), spec, options);
    call(target, 0, 2);
    expect(target.optimizer.restore(state)).toEqual([]);
    expect(bitsOf(await target.optimizer.state())).toEqual(bitsOf(state));

    source.optimizer.restore(withSpecialValues(state));
    const special = await source.optimizer.state();
    target.optimizer.restore(special);
    const moved = await target.optimizer.state();
    expect(bitsOf(moved)).toEqual(bitsOf(withSpecialValues(state)));
    source.dispose();
    target.dispose();
  });

  test.each(pairs.filter(({ from, to }) => exact.includes(from) && exact.includes(to)))(
    "goes on from $from to $to as without a break",
    async ({ make, makeOther }) => {
      const whole = start(make(), spec, options);
      call(whole, 0, calls);
      const next = start(makeOther(), spec, options);
      for (const [name, tensor] of Object.entries(next.tensors))
        tensor.write(await whole.tensors[name].read());
      next.optimizer.restore(await whole.optimizer.state());
      for (const run of [whole, next]) call(run, calls, 2 * calls);
      for (const [name, tensor] of Object.entries(next.tensors))
        expect(bitsOf(await tensor.read())).toEqual(bitsOf(await whole.tensors[name].read()));
      expect(bitsOf(await next.optimizer.state())).toEqual(bitsOf(await whole.optimizer.state()));
      whole.dispose();
      next.dispose();
    },
  );
});
