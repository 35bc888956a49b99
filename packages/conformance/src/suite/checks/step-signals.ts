import {
  sgd,
  type Backend,
  type Optimizer,
  type OptimizerOptions,
  type StepOptions,
  type Tensor,
} from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertCode, assertNear, assertSame } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { Random } from "../random/random.js";

const group = "calls and steps";
const sizes = { a: 12, b: 3, c: 2 } as const;
type Name = keyof typeof sizes;
const names = Object.keys(sizes) as Name[];

/** Parameters of a group of their own, and of a rule of their own: all of them have the scale of the step. */
const groups = [
  { match: "b", learningRate: 0.5 },
  { match: "c", rule: sgd({ learningRate: 0.25, momentum: 0.5 }) },
];

/** Where a scale or rate is: in a number, or in a tensor. */
const kinds = ["number", "tensor"] as const;
type Kind = (typeof kinds)[number];

/** `scale` and `learningRate` of a step: as if its gradients were multiplied, or the rate set for it alone. */
export const stepSignalChecks: readonly Check[] = [
  ...[
    { what: "", options: {} },
    { what: "with accumulate, ", options: { accumulate: 2 } },
    { what: "with a loss scale, ", options: { lossScale: 8, nonFinite: "propagate" as const } },
  ].map(({ what, options }): Check => ({
    group,
    name: `scale: ${what}multiplies the gradients of its call once, in all groups`,
    run: async (context) => {
      for (const kind of kinds) await scales(context, kind, options);
    },
  })),
  {
    group,
    name: "learningRate: is that of one step, of groups without a rate or rule of their own",
    run: async (context) => {
      for (const kind of kinds) await rates(context, kind);
    },
  },
  {
    group,
    name: "learningRate: by the names of parameters, is that of their groups in one step",
    run: async (context) => {
      for (const kind of kinds) await ratesByName(context, kind);
    },
  },
];

interface Run {
  readonly parameters: Readonly<Record<Name, Tensor>>;
  readonly optimizer: Optimizer;
}

/** Two optimizers on one backend. */
interface Pair {
  readonly backend: Backend;
  readonly runs: readonly [Run, Run];
  readonly random: Random;
}

async function startBoth({ target, seed }: Context, options: OptimizerOptions): Promise<Pair> {
  const backend = await target.backend();
  const random = Random.of(seed, "signals of steps");
  const initial = gradientsOf(random);
  const start = (): Run => {
    const [a, b, c] = names.map((name) => backend.tensor([sizes[name]], initial[name]));
    const parameters = { a, b, c };
    const spec = sgd({ learningRate: 1, momentum: 0.75 });
    return { parameters, optimizer: target.create(spec, parameters, { groups, ...options }) };
  };
  return { backend, runs: [start(), start()], random };
}

/** Multiples of 1/16, of which few steps lose nothing. */
function gradientsOf(random: Random): Record<Name, Float32Array> {
  const entries = names.map((name) => [
    name,
    Float32Array.from({ length: sizes[name] }, () => random.integer(-32, 32) / 16),
  ]);
  return Object.fromEntries(entries) as Record<Name, Float32Array>;
}

/** Whether steps on the backend take a tensor, which they refuse otherwise. */
function takesTensors(backend: Backend): boolean {
  return backend.takesSignals === true || backend.tensor([1]).view !== undefined;
}

async function scales(context: Context, kind: Kind, options: OptimizerOptions): Promise<void> {
  const { backend, runs, random } = await startBoth(context, options);
  const [scaling, plain] = runs;
  const tensor = backend.tensor([1]);
  if (kind === "tensor" && !takesTensors(backend)) {
    await refuse(scaling, gradientsOf(random), { scale: tensor });
    return;
  }
  for (const [call, scale] of [undefined, 0.5, 2, undefined, 0.25, 4].entries()) {
    const gradients = gradientsOf(random);
    if (scale !== undefined) tensor.write([scale]);
    const signal = kind === "tensor" ? tensor : scale;
    scaling.optimizer.step(gradients, scale === undefined ? undefined : { scale: signal! });
    for (const name of names)
      gradients[name].forEach((g, i, values) => (values[i] = g * (scale ?? 1)));
    plain.optimizer.step(gradients);
    await compare(runs, `call ${call + 1}, with a ${kind} as scale`);
  }
  for (const { optimizer } of runs) optimizer.dispose();
}

async function rates(context: Context, kind: Kind): Promise<void> {
  const { backend, runs, random } = await startBoth(context, {});
  const [signaled, plain] = runs;
  const tensor = backend.tensor([1]);
  if (kind === "tensor" && !takesTensors(backend)) {
    await refuse(signaled, gradientsOf(random), { learningRate: tensor });
    return;
  }
  for (const [step, rate] of [0.5, undefined, 2, 0.25, undefined].entries()) {
    const gradients = gradientsOf(random);
    if (rate !== undefined) tensor.write([rate]);
    const signal = kind === "tensor" ? tensor : rate;
    signaled.optimizer.step(gradients, rate === undefined ? undefined : { learningRate: signal! });
    plain.optimizer.learningRate = rate ?? 1;
    plain.optimizer.step(gradients);
    await compare(runs, `step ${step + 1}, with a ${kind} as learningRate`);
  }
  for (const { optimizer } of runs) optimizer.dispose();
}

async function ratesByName(context: Context, kind: Kind): Promise<void> {
  const { backend, runs, random } = await startBoth(context, {});
  const [signaled, plain] = runs;
  const tensors = [backend.tensor([1]), backend.tensor([1])];
  if (kind === "tensor" && !takesTensors(backend)) {
    await refuse(signaled, gradientsOf(random), { learningRate: { b: tensors[0] } });
    return;
  }
  for (let step = 1; step <= 4; step += 1) {
    const gradients = gradientsOf(random);
    const [b, c] = [step / 4, 2 / step];
    tensors[0].write([b]);
    tensors[1].write([c]);
    const signals = kind === "tensor" ? { b: tensors[0], c: tensors[1] } : { b, c };
    const isPlain = step === 3;
    signaled.optimizer.step(gradients, isPlain ? undefined : { learningRate: signals });
    const [ofB, ofC] = plain.optimizer.groups;
    ofB.learningRate = isPlain ? 0.5 : b;
    ofC.learningRate = isPlain ? 0.25 : c;
    plain.optimizer.step(gradients);
    await compare(runs, `step ${step}, with a ${kind} for each of two groups`);
  }
  for (const { optimizer } of runs) optimizer.dispose();
}

async function refuse(
  { parameters, optimizer }: Run,
  gradients: Record<Name, Float32Array>,
  options: StepOptions,
): Promise<void> {
  const before = await parameters.a.read();
  const what = "a tensor as an option of a step";
  await assertCode("UNSUPPORTED", what, () => optimizer.step(gradients, options));
  assertSame(await parameters.a.read(), before, `after ${what}`, 'p of "a"');
}

async function compare([got, expected]: Pair["runs"], where: string): Promise<void> {
  const actual = await snapshot(got.optimizer, got.parameters);
  const wanted = await snapshot(expected.optimizer, expected.parameters);
  const { exact } = got.parameters.a.backend;
  for (const name of names)
    for (const [slot, values] of Object.entries(wanted[name]))
      assertNear(actual[name][slot], values, exact, `sgd, ${where}`, `${slot} of "${name}"`);
}
