import { adam, chain, ema, lookahead, sgd, type OptimizerSpec, type Tensor } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertCode, assertSameAll } from "../assertions.js";
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
export const evaluationChecks: readonly Check[] = kinds.map(({ name, spec, slot }) => ({
  group: "weights to evaluate with",
  name,
  needs: ["copies"],
  run: (context) => evaluationCase(context, spec, slot),
}));

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
