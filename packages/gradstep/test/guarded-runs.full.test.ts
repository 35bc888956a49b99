// Compares random runs with non-finite gradients to the same runs without these gradients.
import {
  createOptimizer,
  GradstepError,
  newRow,
  type Backend,
  type Gradients,
  type GroupOptions,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
  type OptimizerState,
  type StepOptions,
  type Tensor,
} from "gradstep";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { backends } from "./backends.js";
import { names, randomRule, randomSpec, shapes, sizeOf, type Name } from "./random-optimizers.js";
import { bitsOf, randomOf, type Random } from "./random.js";

interface Run {
  readonly optimizer: Optimizer;
  readonly parameters: Readonly<Record<Name, Tensor>>;
}

/** A gradient as data: the values of rows if it has indices. */
interface GivenGradient {
  readonly values: Float32Array;
  readonly indices?: Uint32Array;
  readonly isTensor: boolean;
}

interface Call {
  readonly gradients: Partial<Record<Name, GivenGradient>>;
  readonly options: StepOptions;
}

function randomOptions(random: Random): OptimizerOptions {
  const groups: GroupOptions[] = [
    { match: "b", every: random.integer(1, 3), ...(random.chance(0.5) && { learningRate: 0.02 }) },
    {
      match: "c",
      every: random.integer(1, 2),
      ...(random.chance(0.5) && { rule: randomRule(random) }),
    },
    { match: "table", sparse: "lazy", rowSteps: random.chance(0.5), every: random.integer(1, 2) },
  ];
  return {
    groups: groups.filter(() => random.chance(0.6)),
    accumulate: random.chance(0.5) ? 1 : random.integer(2, 3),
    schedulesCount: random.pick(["steps", "calls"]),
    sparse: random.pick(["dense", "lazy"]),
    ...(random.chance(0.4) && { lossScale: random.pick([8, 1024]) }),
  };
}

function start(
  backend: Backend,
  spec: OptimizerSpec,
  options: OptimizerOptions,
  values: (name: Name) => readonly [readonly number[], Float32Array],
): Run {
  const parameters = Object.fromEntries(
    names.map((name) => [name, backend.tensor(...values(name))]),
  ) as Record<Name, Tensor>;
  return { parameters, optimizer: createOptimizer(spec, parameters, options) };
}

function randomCall(random: Random, rows: number): Call {
  const isTensor = random.chance(0.3);
  const gradients: Partial<Record<Name, GivenGradient>> = {};
  for (const name of names) {
    if (name !== "w" && random.chance(0.2)) continue;
    const isSparse = name === "table" && !isTensor && random.chance(0.7);
    const indices = Uint32Array.from({ length: random.integer(1, 3) }, () =>
      random.integer(0, rows - 1),
    );
    const size = name === "table" ? 2 * rows : sizeOf(name);
    gradients[name] = isSparse
      ? { values: random.values(2 * indices.length), indices, isTensor: false }
      : { values: random.values(size), isTensor };
  }
  const mask = Uint32Array.of(1, random.integer(0, 1), random.integer(0, 1));
  return {
    gradients,
    options: {
      ...(random.chance(0.2) && { rows: { w: mask } }),
      ...(random.chance(0.1) && { scale: 0.5 }),
      ...(isTensor && random.chance(0.5) && { clear: true }),
    },
  };
}

/** The same call with a value that is not finite, in the first row, in a gradient that the step takes; or undefined. */
function poisoned(random: Random, { gradients, options }: Call, due: readonly Name[]) {
  const possible = due.filter((name) => gradients[name] !== undefined);
  if (possible.length === 0) return undefined;
  const name = random.pick(possible);
  const values = gradients[name]!.values.slice();
  values[0] = random.pick([Number.NaN, Infinity, -Infinity]);
  return { gradients: { ...gradients, [name]: { ...gradients[name]!, values } }, options };
}

/** The parameters that the next step updates. */
function dueIn({ optimizer }: Run): readonly Name[] {
  const isDue = (name: Name): boolean => {
    const group = optimizer.groups.find(({ parameters }) => parameters.includes(name));
    if (group === undefined) return true;
    return !group.frozen && (optimizer.iterations + 1) % group.every === 0;
  };
  return names.filter(isDue);
}

async function take({ optimizer }: Run, { gradients, options }: Call): Promise<void> {
  const given: Record<string, Gradients[string]> = {};
  const give = (): void => {
    for (const [name, { values, indices, isTensor }] of Object.entries(gradients)) {
      if (indices !== undefined) given[name] = { indices, values: values.slice() };
      else if (isTensor) {
        const tensor = optimizer.gradient(name);
        tensor.write(values);
        given[name] = tensor;
      } else given[name] = values.slice();
    }
  };
  give();
  try {
    optimizer.step(given, options);
  } catch (error) {
    if (!(error instanceof GradstepError && error.message.includes("metrics()"))) throw error;
    // A device has to say first what it skipped.
    await optimizer.metrics();
    optimizer.step(given, options);
  }
}

/** All that the next step depends on, without counts of what was skipped. */
async function dataOf({ optimizer, parameters }: Run): Promise<unknown> {
  const { control, ...state }: OptimizerState = structuredClone(await optimizer.state());
  const values = await Promise.all(
    names.map(async (name) => (await parameters[name].read()).slice()),
  );
  const { microSteps = 0, accumulated = {} } = control ?? {};
  return bitsOf({ state, microSteps, accumulated, values });
}

async function resumed(backend: Backend, run: Run, spec: OptimizerSpec, options: OptimizerOptions) {
  const state = structuredClone(await run.optimizer.state());
  const values = Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, (await run.parameters[name].read()).slice()]),
    ),
  ) as Record<Name, Float32Array>;
  const next = start(backend, spec, options, (name) => [run.parameters[name].shape, values[name]]);
  next.optimizer.restore(state);
  run.optimizer.dispose();
  return next;
}

/** @returns the number of skipped steps. @throws {GradstepError} if the backend or an optimizer refuses the combination */
async function compare(backend: Backend, random: Random, what: string) {
  const options = randomOptions(random);
  const skips: OptimizerOptions = { ...options, nonFinite: "skip" };
  const propagates: OptimizerOptions = { ...options, nonFinite: "propagate" };
  const spec = randomSpec(random);
  const first = Object.fromEntries(
    names.map((name) => [name, random.values(sizeOf(name))]),
  ) as Record<Name, Float32Array>;
  const initial = (name: Name) => [shapes[name], first[name]] as const;
  let plain = start(backend, spec, propagates, initial);
  let guarded = start(backend, spec, skips, initial);
  let rows: number = shapes.table[0];
  let skipped = 0;
  const turn = async (i: number): Promise<void> => {
    const action = random.pick(["", "", "", "rate", "remap", "reset", "resume", "read"]);
    if (action === "rate")
      for (const { optimizer } of [plain, guarded])
        (optimizer as unknown as { learningRate: number }).learningRate = 0.03 + i / 1000;
    if (action === "remap" && plain.optimizer.microSteps === 0) {
      const indices = Uint32Array.from({ length: random.integer(2, 6) }, () =>
        random.chance(0.2) ? newRow : random.integer(0, rows - 1),
      );
      rows = indices.length;
      for (const { optimizer } of [plain, guarded]) optimizer.rows("table").remap(indices);
    }
    if (action === "reset") {
      const name = random.pick(names);
      for (const { optimizer } of [plain, guarded]) optimizer.reset(name);
    }
    if (action === "resume") {
      plain = await resumed(backend, plain, spec, propagates);
      guarded = await resumed(backend, guarded, spec, skips);
    }
    // The answer comes while the next steps are taken.
    const reading = action === "read" ? guarded.optimizer.metrics() : undefined;
    for (let bad = random.integer(0, 2); bad > 0; bad -= 1) {
      const calls = Array.from({ length: options.accumulate! }, () => randomCall(random, rows));
      const index = random.integer(0, calls.length - 1);
      const worse = poisoned(random, calls[index], dueIn(plain));
      if (worse === undefined) continue;
      calls[index] = worse;
      for (const call of calls) await take(guarded, call);
      skipped += 1;
    }
    for (let k = 0; k < options.accumulate!; k += 1) {
      const call = randomCall(random, rows);
      await take(plain, call);
      await take(guarded, call);
    }
    await reading;
  };
  for (let i = 0; i < 12; i += 4) {
    for (let k = 0; k < 4; k += 1) await turn(i + k);
    expect([what, i, await dataOf(guarded)]).toEqual([what, i, await dataOf(plain)]);
  }
  expect(guarded.optimizer.iterations).toBe(plain.optimizer.iterations);
  for (const { optimizer } of [plain, guarded]) optimizer.dispose();
  return skipped;
}

test.each(backends)(
  `on %s, skipped steps change no bit of random runs (seed ${seed})`,
  async (name, make) => {
    const backend = make();
    const all = randomOf(seed);
    const count = name === "webgpu" ? cases(60, 4) : cases(1000, 40);
    let compared = 0;
    let skipped = 0;
    for (let i = 0; compared < count; i += 1) {
      expect(i).toBeLessThan(10 * count);
      try {
        skipped += await compare(
          backend,
          randomOf(all.integer(0, 2 ** 31)),
          `case ${i} of seed ${seed}`,
        );
        compared += 1;
      } catch (error) {
        // Not everything can be combined.
        if (!(error instanceof GradstepError)) throw error;
      }
    }
    expect(skipped).toBeGreaterThan(5 * count);
  },
);
