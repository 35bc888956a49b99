// Random optimizers and random calls of them, as data.
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
  type StepOptions,
  type Tensor,
} from "gradstep";
import { names, randomRule, randomSpec, shapes, sizeOf } from "./random-optimizers.js";
import type { Random } from "./random.js";

/** A call of an optimizer, as data: the same for each run of a case. */
export type Call = StepCall | ((optimizer: Optimizer) => void);

export interface StepCall {
  readonly gradients: Gradients;
  readonly options: StepOptions | undefined;
}

export interface Case {
  readonly spec: OptimizerSpec;
  readonly options: OptimizerOptions;
  readonly calls: readonly Call[];
}

function randomOptions(random: Random, isPlain: boolean): OptimizerOptions {
  const groups: GroupOptions[] = [
    { match: "b", every: random.integer(1, 3), frozen: random.chance(0.2) },
    {
      match: "c",
      every: random.integer(1, 2),
      ...(random.chance(0.7) && { rule: randomRule(random) }),
    },
    { match: "table", sparse: "lazy", rowSteps: random.chance(0.6) },
  ];
  if (isPlain) return { groups: groups.slice(0, 2).filter(() => random.chance(0.7)) };
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

function randomCalls(
  random: Random,
  options: OptimizerOptions,
  count: number,
  isPlain: boolean,
): readonly Call[] {
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
    return {
      gradients: randomGradients(random, rows, skips, isPlain),
      options: random.chance(0.3) ? randomMasks(random, rows) : undefined,
    };
  });
}

function randomGradients(
  random: Random,
  rows: number,
  skips: boolean,
  isPlain: boolean,
): Gradients {
  const some = names.filter(() => random.chance(0.8));
  const gradients = (some.length === 0 ? ["w" as const] : some).map((name) => {
    if (name === "table" && !isPlain && random.chance(0.6)) {
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

/** The shapes and values of parameters, by name. */
export type Values = Readonly<Record<string, readonly [readonly number[], ArrayLike<number>]>>;

export interface Run {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly optimizer: Optimizer;
}

export function start(backend: Backend, { spec, options }: Case, from: Values): Run {
  const tensors = Object.fromEntries(
    Object.entries(from).map(([name, [shape, values]]) => [name, backend.tensor(shape, values)]),
  );
  return { tensors, optimizer: createOptimizer(spec, tensors, options) };
}

export async function valuesOf({ tensors }: Run): Promise<Values> {
  const read = Object.entries(tensors).map(async ([name, tensor]) => [
    name,
    [[...tensor.shape], (await tensor.read()).slice()],
  ]);
  return Object.fromEntries(await Promise.all(read)) as Values;
}

/** What comes of each call: `"taken"`, or the code of the error. */
export async function take({ optimizer }: Run, calls: readonly Call[]): Promise<string[]> {
  const results: string[] = [];
  for (const call of calls) results.push(await taken(optimizer, call));
  return results;
}

async function taken(optimizer: Optimizer, call: Call): Promise<string> {
  try {
    if (typeof call === "function") call(optimizer);
    else optimizer.step(call.gradients, call.options);
    return "taken";
  } catch (error) {
    if (!(error instanceof GradstepError)) throw error;
    if (!error.message.includes("metrics()")) return error.code;
    // A device has to say first what it skipped.
    await optimizer.metrics();
    return taken(optimizer, call);
  }
}

/**
 * A random optimizer with random calls, and random values of its parameters.
 * @param isPlain whether each call is a step, with arrays as gradients
 */
export function randomCase(
  random: Random,
  count: number,
  isPlain = false,
): { readonly one: Case; readonly values: Values } {
  const options = randomOptions(random, isPlain);
  const calls = randomCalls(random, options, count, isPlain);
  const spec = randomSpec(random);
  const values = Object.fromEntries(
    names.map((name) => [name, [shapes[name], random.values(sizeOf(name))]] as const),
  );
  return { one: { spec, options, calls }, values };
}
