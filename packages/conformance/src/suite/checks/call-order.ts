import { adam, lion, sgd, type Tensor } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assert, assertSame, assertSameAll } from "../assertions.js";
import { Random } from "../random/random.js";
import type { Check, Context } from "../check.js";

const group = "order of calls";

/** Steps, writes and reads take effect in the order of the calls, with or without an `await` in between. */
export const callOrderChecks: readonly Check[] = [
  {
    group,
    name: "steps without a read in between give the same values",
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
        assertSameAll(await run(false), await run(true), `${spec.rule.name}, step 6`);
      }
    },
  },
  {
    group,
    name: "a gradient array can be reused for the next step",
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
    name: "a write between two steps takes effect between them",
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
    name: "a state holds the values at the time of the call",
    run: async (context) => {
      const { optimizer } = await start(context, sgd({ learningRate: 1, momentum: 0.5 }));
      const gradients = { a: new Float32Array(9).fill(1), b: new Float32Array(5).fill(2) };
      optimizer.step(gradients);
      const reading = optimizer.state();
      optimizer.step(gradients);
      optimizer.learningRate = 0.5;
      const { iterations, hyperparameters, slots } = await reading;
      assert(iterations === 1, `iterations is ${iterations} in a state after 1 step`);
      assert(
        hyperparameters.learningRate === 1,
        `learningRate is ${JSON.stringify(hyperparameters.learningRate)} in the state; expected 1`,
      );
      const m = { a: { m: new Float32Array(9).fill(1) }, b: { m: new Float32Array(5).fill(2) } };
      assertSameAll(slots, m, "sgd, step 1, state read during step 2");
    },
  },
  {
    group,
    name: "two optimizers on one backend do not affect each other",
    run: async (context) => {
      const backend = await context.target.backend();
      const parameters = { one: backend.tensor([8]), two: backend.tensor([8]) };
      const one = context.target.create(sgd({ learningRate: 1 }), { one: parameters.one });
      const two = context.target.create(sgd({ learningRate: 2 }), { two: parameters.two });
      for (let i = 0; i < 3; i += 1) {
        one.step({ one: new Float32Array(8).fill(1) });
        two.step({ two: new Float32Array(8).fill(3) });
      }
      assertSame(await parameters.one.read(), new Float32Array(8).fill(-3), "the first");
      assertSame(await parameters.two.read(), new Float32Array(8).fill(-18), "the second");
    },
  },
];

async function start(context: Context, spec: Parameters<Context["target"]["create"]>[0]) {
  const backend = await context.target.backend();
  const parameters: Record<string, Tensor> = { a: backend.tensor([9]), b: backend.tensor([5]) };
  return { parameters, optimizer: context.target.create(spec, parameters) };
}
