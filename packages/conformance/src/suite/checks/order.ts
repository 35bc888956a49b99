import { adam, lion, sgd, type Tensor } from "@gradstep/core";
import { snapshot } from "../../judge.js";
import { assertSame, assertSameAll } from "../assert.js";
import { Random } from "../random.js";
import type { Check, Context } from "../subject.js";

const group = "order";

/** Steps, writes and reads take effect in the order of the calls, whether or not anybody waits in between. */
export const orderChecks: readonly Check[] = [
  {
    group,
    name: "steps in a row are steps one by one",
    run: async (context) => {
      for (const spec of [
        adam({ learningRate: 0.1 }),
        sgd({ momentum: 0.9, nesterov: true }),
        lion(),
      ]) {
        const run = async (waits: boolean) => {
          const random = Random.of(context.seed, "order");
          const { parameters, optimizer } = await start(context, spec);
          for (let i = 0; i < 6; i += 1) {
            const gradients: Record<string, Float32Array> = {
              a: Float32Array.from({ length: 9 }, () => random.between(-1, 1)),
            };
            if (i % 2 === 0)
              gradients.b = Float32Array.from({ length: 5 }, () => random.between(-1, 1));
            optimizer.step(gradients);
            if (waits) await snapshot(optimizer, parameters);
          }
          return snapshot(optimizer, parameters);
        };
        assertSameAll(await run(false), await run(true), spec.rule.name);
      }
    },
  },
  {
    group,
    name: "a gradient array may be used again for the next step",
    run: async (context) => {
      const { parameters, optimizer } = await start(context, sgd({ learningRate: 1 }));
      const gradient = new Float32Array(9).fill(1);
      optimizer.step({ a: gradient });
      gradient.fill(10);
      optimizer.step({ a: gradient });
      assertSame(await parameters.a.read(), new Float32Array(9).fill(-11), "two steps");
    },
  },
  {
    group,
    name: "a write between two steps is between them",
    run: async (context) => {
      const { parameters, optimizer } = await start(context, sgd({ learningRate: 1 }));
      const gradient = parameters.a.backend.tensor([9], new Float32Array(9).fill(1));
      optimizer.step({ a: gradient });
      const first = parameters.a.read();
      parameters.a.write(new Float32Array(9).fill(100));
      gradient.write(new Float32Array(9).fill(2));
      optimizer.step({ a: gradient });
      assertSame(await first, new Float32Array(9).fill(-1), "what was read before the write");
      assertSame(await parameters.a.read(), new Float32Array(9).fill(98), "after the second step");
    },
  },
  {
    group,
    name: "two optimizers of one backend do not meet",
    run: async (context) => {
      const backend = await context.subject.backend();
      const parameters = { one: backend.tensor([8]), two: backend.tensor([8]) };
      const one = context.subject.create(sgd({ learningRate: 1 }), { one: parameters.one });
      const two = context.subject.create(sgd({ learningRate: 2 }), { two: parameters.two });
      for (let i = 0; i < 3; i += 1) {
        one.step({ one: new Float32Array(8).fill(1) });
        two.step({ two: new Float32Array(8).fill(3) });
      }
      assertSame(await parameters.one.read(), new Float32Array(8).fill(-3), "the first");
      assertSame(await parameters.two.read(), new Float32Array(8).fill(-18), "the second");
    },
  },
];

async function start(context: Context, spec: Parameters<Context["subject"]["create"]>[0]) {
  const backend = await context.subject.backend();
  const parameters: Record<string, Tensor> = { a: backend.tensor([9]), b: backend.tensor([5]) };
  return { parameters, optimizer: context.subject.create(spec, parameters) };
}
