// Random optimizers with random calls, interrupted at a random one.
import {
  cpuJs,
  createOptimizer,
  GradstepError,
  newRow,
  wasm,
  type Backend,
  type Gradients,
  type GroupOptions,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
  type StepOptions,
  type Tensor,
} from "gradstep";
import { reference } from "gradstep/reference";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { names, randomRule, randomSpec, shapes, sizeOf } from "./random-optimizers.js";
import { bitsOf, randomOf, type Random } from "./random.js";

const backends: readonly [string, () => Backend][] = [
  ["reference", reference],
  ["cpu-js", () => cpuJs()],
  ["wasm", () => wasm()],
];

/** A call of an optimizer, as data: the same for each run of a case. */
type Call = (optimizer: Optimizer) => void;

interface Case {
  readonly spec: OptimizerSpec;
  readonly options: OptimizerOptions;
  readonly calls: readonly Call[];
}

function randomOptions(random: Random): OptimizerOptions {
  const groups: GroupOptions[] = [
    { match: "b", every: random.integer(1, 3), frozen: random.chance(0.2) },
    {
      match: "c",
      every: random.integer(1, 2),
      ...(random.chance(0.7) && { rule: randomRule(random) }),
    },
    { match: "table", sparse: "lazy", rowSteps: random.chance(0.6) },
  ];
  return {
    groups: groups.filter(() => random.chance(0.7)),
    accumulate: random.integer(1, 3),
    schedulesCount: random.pick(["steps", "calls"]),
    ...random.pick([
      {},
      { nonFinite: "skip" },
      { lossScale: 4, nonFinite: "propagate" },
      { lossScale: { initial: 8, growthInterval: 2 } },
    ]),
  };
}

function randomCalls(random: Random, options: OptimizerOptions, count: number): readonly Call[] {
  const skips = options.nonFinite === "skip" || typeof options.lossScale === "object";
  let rows: number = shapes.table[0];
  return Array.from({ length: count }, (): Call => {
    const kind = random.pick(["step", "step", "step", "step", "step", "remap", "reset", "freeze"]);
    if (kind === "remap") {
      const indices = Uint32Array.from({ length: random.integer(2, 6) }, () =>
        random.chance(0.2) ? newRow : random.integer(0, rows - 1),
      );
      rows = indices.length;
      return (optimizer) => optimizer.rows("table").remap(indices);
    }
    if (kind === "reset") {
      const name = random.pick(names);
      return (optimizer) => optimizer.reset(name);
    }
    if (kind === "freeze") {
      const [index, frozen] = [random.integer(0, 2), random.chance(0.5)];
      return ({ groups }) => {
        if (index < groups.length) groups[index].frozen = frozen;
      };
    }
    const gradients = randomGradients(random, rows, skips);
    const stepOptions = random.chance(0.3) ? randomMasks(random, rows) : undefined;
    return (optimizer) => optimizer.step(gradients, stepOptions);
  });
}

function randomGradients(random: Random, rows: number, skips: boolean): Gradients {
  const some = names.filter(() => random.chance(0.8));
  const gradients = (some.length === 0 ? ["w" as const] : some).map((name) => {
    if (name === "table" && random.chance(0.6)) {
      const indices = Uint32Array.from({ length: random.integer(1, 3) }, () =>
        random.integer(0, rows - 1),
      );
      return [name, { indices, values: random.values(2 * indices.length) }] as const;
    }
    const size = name === "table" ? 2 * rows : sizeOf(name);
    const values = random.values(size);
    if (skips && random.chance(0.1)) values[random.integer(0, size - 1)] = Number.NaN;
    return [name, values] as const;
  });
  return Object.fromEntries(gradients);
}

function randomMasks(random: Random, rows: number): StepOptions {
  const mask = (length: number) => Uint32Array.from({ length }, () => random.integer(0, 1));
  return {
    rows: random.chance(0.5) ? { w: mask(3) } : { w: mask(3), table: mask(rows) },
    unselectedRows: random.pick(["keep", "decay", "zero"] as const),
  };
}

interface Run {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly optimizer: Optimizer;
}

/** @param from the shapes and values of parameters */
async function start(
  backend: Backend,
  { spec, options }: Case,
  from: Readonly<Record<string, readonly [readonly number[], ArrayLike<number>]>>,
): Promise<Run> {
  const tensors = Object.fromEntries(
    Object.entries(from).map(([name, [shape, values]]) => [name, backend.tensor(shape, values)]),
  );
  return { tensors, optimizer: createOptimizer(spec, tensors, options) };
}

async function valuesOf({ tensors }: Run): Promise<Record<string, [number[], Float32Array]>> {
  const read = Object.entries(tensors).map(async ([name, tensor]) => [
    name,
    [[...tensor.shape], (await tensor.read()).slice()],
  ]);
  return Object.fromEntries(await Promise.all(read)) as Record<string, [number[], Float32Array]>;
}

/** The calls that the optimizer refuses, which are the same in both runs. */
function take({ optimizer }: Run, calls: readonly Call[]): string[] {
  return calls.map((call) => {
    try {
      call(optimizer);
      return "taken";
    } catch (error) {
      if (error instanceof GradstepError) return error.code;
      throw error;
    }
  });
}

const count = cases(400, 8);

test.each(backends)(
  `on %s, ${count} random optimizers that were interrupted have the bits of those that were not (seed ${seed})`,
  async (_, make) => {
    const all = randomOf(seed);
    let compared = 0;
    let taken = 0;
    let inTheMiddle = 0;
    for (let i = 0; compared < count; i += 1) {
      expect(i).toBeLessThan(10 * count);
      const random = randomOf(all.integer(0, 2 ** 31));
      const half = random.integer(2, 9);
      let one: Case;
      let whole: Run;
      const backend = make();
      try {
        const options = randomOptions(random);
        const calls = randomCalls(random, options, 2 * half);
        one = { spec: randomSpec(random), options, calls };
        const first = names.map(
          (name) => [name, [shapes[name], random.values(sizeOf(name))]] as const,
        );
        whole = await start(backend, one, Object.fromEntries(first));
      } catch (error) {
        // Not everything can be combined.
        if (error instanceof GradstepError) continue;
        throw error;
      }
      compared += 1;
      take(whole, one.calls.slice(0, half));
      const state = structuredClone(await whole.optimizer.state());
      if ((state.control?.microSteps ?? 0) > 0) inTheMiddle += 1;
      const resumed = await start(make(), one, await valuesOf(whole));
      // What has happened there before is of no influence.
      if (random.chance(0.5)) {
        take(resumed, [
          (optimizer) => optimizer.step({ w: random.values(6), b: random.values(4) }),
        ]);
        for (const [name, [, values]] of Object.entries(await valuesOf(whole)))
          resumed.tensors[name].write(values);
      }
      const what = `case ${i} of seed ${seed}: ${one.spec.rule.name} ${JSON.stringify(one.options)}`;
      expect([what, resumed.optimizer.restore(state)]).toEqual([what, []]);
      expect([what, bitsOf(await resumed.optimizer.state())]).toEqual([what, bitsOf(state)]);
      const results = take(whole, one.calls.slice(half));
      expect([what, take(resumed, one.calls.slice(half))]).toEqual([what, results]);
      taken += results.filter((result) => result === "taken").length;
      expect([what, bitsOf(await valuesOf(resumed))]).toEqual([
        what,
        bitsOf(await valuesOf(whole)),
      ]);
      const [after, expected] = await Promise.all(
        [resumed, whole].map(async ({ optimizer }) => bitsOf(await optimizer.state())),
      );
      expect([what, after]).toEqual([what, expected]);
      for (const { optimizer, tensors } of [whole, resumed]) {
        optimizer.dispose();
        for (const tensor of Object.values(tensors)) tensor.free();
      }
    }
    // Most calls do something.
    expect(taken).toBeGreaterThan(2 * count);
    expect(inTheMiddle).toBeGreaterThan(0);
  },
);
