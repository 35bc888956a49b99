import {
  adam,
  chain,
  defineRule,
  ema,
  lookahead,
  nonNegative,
  sgd,
  type OptimizerSpec,
  type Tensor,
} from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertCode, assertSame, assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { randomGradient, randomParameter } from "../random/random-values.js";
import { Random } from "../random/random.js";

const shapes = { first: [4, 3], second: [5], third: [] } as const;

/** Chains whose weights to evaluate with are the values of a slot. */
const kinds: readonly {
  readonly name: string;
  readonly spec: OptimizerSpec;
  readonly slot: string;
}[] = [
  { name: "an average", spec: chain(adam({ learningRate: 0.01 }), ema(0.5)), slot: "ema" },
  {
    name: "slow weights",
    spec: chain(sgd({ learningRate: 0.1 }), lookahead({ lookaheadSteps: 2 })),
    slot: "slow",
  },
];

/** `swap` puts the weights to evaluate with into the parameters, and the trained ones back, bit for bit. */
export const evaluationChecks: readonly Check[] = [
  ...kinds.map(({ name, spec, slot }): Check => ({
    group: "weights to evaluate with",
    name,
    needs: ["copies"],
    run: (context) => evaluationCase(context, spec, slot),
  })),
  {
    group: "weights to evaluate with",
    name: "the scalars are those of the last step, and of each group",
    needs: ["copies"],
    run: scalarsCase,
  },
  {
    group: "weights to evaluate with",
    name: "copies of parameters follow them",
    needs: ["copies", "layouts"],
    run: copiesCase,
  },
];

async function evaluationCase(context: Context, spec: OptimizerSpec, slot: string): Promise<void> {
  const random = Random.of(context.seed, `evaluation ${spec.rule.name}`);
  const sizes = Object.entries(shapes).map(
    ([name, shape]) => [name, shape.reduce<number>((size, length) => size * length, 1)] as const,
  );
  const values = (of: typeof randomParameter): Record<string, Float32Array> =>
    Object.fromEntries(sizes.map(([name, size]) => [name, of(size, random)]));
  const initial = values(randomParameter);
  const gradients = Array.from({ length: 4 }, () => values(randomGradient));
  const start = async () => {
    const backend = await context.target.backend();
    const parameters: Record<string, Tensor> = {};
    for (const [name, shape] of Object.entries(shapes))
      parameters[name] = backend.tensor(shape, initial[name]);
    return { parameters, optimizer: context.target.create(spec, parameters) };
  };
  const read = async (parameters: Record<string, Tensor>) =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(parameters).map(async ([name, one]) => [name, { p: await one.read() }]),
      ),
    ) as Record<string, { p: Float32Array }>;

  const { parameters, optimizer } = await start();
  for (const gradient of gradients.slice(0, 3)) optimizer.step(gradient);
  const trained = await snapshot(optimizer, parameters);
  const what = `${spec.rule.name}, step 3`;
  optimizer.swap();
  const averages = Object.entries(trained).map(([name, one]) => [name, { p: one[slot] }]);
  assertSameAll(await read(parameters), Object.fromEntries(averages), `${what}, after swap()`);
  await assertCode("SWAPPED", "step() after swap()", () => optimizer.step(gradients[3]));
  await assertCode("SWAPPED", "state() after swap()", () => optimizer.state());
  await assertCode("SWAPPED", "reset() after swap()", () => optimizer.reset());
  optimizer.swap();
  assertSameAll(await snapshot(optimizer, parameters), trained, `${what}, after swap() twice`);

  optimizer.step(gradients[3]);
  const straight = await start();
  for (const gradient of gradients) straight.optimizer.step(gradient);
  assertSameAll(
    await snapshot(optimizer, parameters),
    await snapshot(straight.optimizer, straight.parameters),
    `${spec.rule.name}, step 4, after swap() twice`,
  );
}

/** Looks ahead by all gradients so far, times a rate that grows from step to step. */
const lookingAhead = defineRule({
  name: "looking-ahead",
  hyperparameters: { learningRate: nonNegative(1) },
  slots: { sum: 0 },
  perStep: "factor = learningRate * t",
  perElement: `
    sum = sum + g
    p = p - g * factor
  `,
  evaluation: "p = p - sum * factor",
});

async function scalarsCase({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const rates = { a: 1, b: 2 };
  const a = backend.tensor([2], [8, 9]);
  const b = backend.tensor([1], [7]);
  const groups = [{ match: "b", learningRate: rates.b }];
  const optimizer = target.create(lookingAhead({ learningRate: rates.a }), { a, b }, { groups });
  // Of integers, all results are exact.
  for (const g of [1, 2, 4])
    optimizer.step({ a: Float32Array.of(g, -g), b: Float32Array.of(3 * g) });
  const trained = { a: [-9, 26], b: [-95] };
  const sums = { a: [7, -7], b: [21] };
  const check = async (factor: number, where: string): Promise<void> => {
    for (const [name, tensor] of [["a", a] as const, ["b", b] as const]) {
      const expected = trained[name].map((p, i) => p - sums[name][i] * rates[name] * factor);
      assertSame(
        await tensor.read(),
        expected,
        `looking-ahead, step 3, ${where}`,
        `p of "${name}"`,
      );
    }
  };
  await check(0, "before swap()");
  optimizer.swap();
  await check(3, "after swap()");
  optimizer.dispose();
}

async function copiesCase({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const w = backend.tensor([2, 2], [1, 2, 3, 4]);
  const copy = backend.tensor([2, 2]);
  const spec = chain(sgd({ learningRate: 1 }), ema(0.5));
  const optimizer = target.create(spec, { w }, { copies: { w: { to: copy } } });
  const check = async (where: string): Promise<void> =>
    assertSame(await copy.read(), await w.read(), `${spec.rule.name}, ${where}`, 'copy of "w"');
  for (const g of [1, 2, 4]) optimizer.step({ w: Float32Array.of(g, -g, g, 2 * g) });
  await check("step 3");
  optimizer.swap();
  await check("step 3, after swap()");
  optimizer.swap();
  await check("step 3, after swap() twice");
  optimizer.dispose();
}
