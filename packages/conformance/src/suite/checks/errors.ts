import {
  adam,
  nadam,
  newRow,
  sgd,
  type Optimizer,
  type OptimizerSpec,
  type Tensor,
  type WrappingBackend,
} from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assert, assertCode, assertEqual, assertSame, assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";
import {
  refusedNumbers,
  refusedParameters,
  refusedRows,
  refusedStates,
  refusedSteps,
  withoutRows,
  type Refusal,
} from "./refused-calls.js";

const group = "errors";

/** Calls with wrong input throw an error with a code, and have changed nothing. */
export const errorChecks: readonly Check[] = [
  {
    group,
    name: "a refused call has changed nothing",
    run: async (context) => {
      const { backend, parameters, optimizer } = await start(context);
      const foreign = (await context.target.backend()).tensor([3]);
      const refusals = [
        ...refusedSteps(backend, optimizer, parameters, foreign),
        ...refusedNumbers(optimizer),
        ...(await refusedStates(optimizer)),
        ...refusedParameters(backend, optimizer, parameters, foreign),
        ...(backend.remap === undefined ? withoutRows(optimizer) : []),
      ];
      await refuse(optimizer, parameters, refusals);
    },
  },
  {
    group,
    name: "a refused mask or move of rows has changed nothing",
    needs: ["rows"],
    run: async (context) => {
      const backend = await context.target.backend();
      const parameters: Record<string, Tensor> = {
        a: backend.tensor([3, 2], [1, 2, 3, 4, 5, 6]),
        b: backend.tensor([3], [7, 8, 9]),
        scalar: backend.tensor([], [1]),
      };
      const spec: OptimizerSpec = nadam({ learningRate: 0.1 });
      const optimizer = context.target.create(spec, parameters);
      optimizer.step({ a: new Float32Array(6).fill(1), b: new Float32Array(3).fill(2) });
      await refuse(optimizer, parameters, refusedRows(backend, optimizer));
    },
  },
  {
    group,
    name: "shared memory is refused, also after rows were moved",
    needs: ["rows"],
    run: async (context) => {
      const backend = await context.target.backend();
      const parameters: Record<string, Tensor> = { a: backend.tensor([2]), b: backend.tensor([2]) };
      const spec: OptimizerSpec = sgd();
      const optimizer = context.target.create(spec, parameters);
      const replaced = parameters.a;
      const larger = backend.tensor([4], [1, 2, 3, 4]);
      optimizer.rows(["a"]).remap(Uint32Array.of(0, 1, 1, newRow), { parameters: { a: larger } });
      parameters.a = larger;
      const gradients = new Float32Array(4).fill(1);
      await refuse(optimizer, parameters, [
        [
          "OVERLAPPING_MEMORY",
          "the new parameter as a gradient",
          () => optimizer.step({ a: larger }),
        ],
        ["OVERLAPPING_MEMORY", "the new parameter once more", () => optimizer.add({ c: larger })],
        [
          "OVERLAPPING_MEMORY",
          "a replacement in the memory of another parameter",
          () =>
            optimizer.rows(["b"]).remap(Uint32Array.of(0, 0, 0, 0), { parameters: { b: larger } }),
        ],
        ["LENGTH_MISMATCH", "the old length", () => optimizer.step({ a: new Float32Array(2) })],
      ]);
      // The replaced tensor no longer belongs to the optimizer, so it can be added again.
      optimizer.add({ c: replaced });
      optimizer.step({ a: gradients });
      const expected = [1, 2, 3, 4].map((value) => Math.fround(value - Math.fround(0.01)));
      const got = await larger.read();
      const isClose = expected.every((value, i) => Math.abs(got[i] - value) <= 2 ** -22);
      assert(
        isClose,
        `sgd, step 1, after a remap: p of "a" is [${[...got].join(", ")}]; expected [${expected.join(", ")}]`,
      );
    },
  },
  {
    group,
    name: "memory behind a wrapped parameter is refused for others, also after rows were moved",
    needs: ["wrapsArrays"],
    run: async (context) => {
      const backend = (await context.target.backend()) as WrappingBackend<Float32Array>;
      const memory = Float32Array.from({ length: 8 }, (_, i) => i);
      const pair = (offset: number) => () =>
        context.target.create(sgd(), {
          one: backend.wrap(memory, { shape: [2] }),
          two: backend.wrap(memory, { shape: [2], offset }),
        });
      await assertCode("OVERLAPPING_MEMORY", "two parameters with one value in common", pair(1));
      pair(2)().dispose();
      // The spare capacity for rows belongs to the parameter, too, if the backend can use it.
      const a = backend.wrap(memory, { shape: [2], offset: 0, capacity: 4 });
      const optimizer = context.target.create(sgd({ learningRate: 1 }), { a });
      if (backend.remap !== undefined) optimizer.rows("a").remap(Uint32Array.of(1, 0, 1));
      const { size } = a;
      await assertCode("OVERLAPPING_MEMORY", "a gradient in the parameter's memory", () =>
        optimizer.step({ a: memory.subarray(1, 1 + size) }),
      );
      await assertCode("OVERLAPPING_MEMORY", "a parameter in another's memory", () =>
        optimizer.add({ b: backend.wrap(memory, { shape: [2], offset: size - 1 }) }),
      );
      optimizer.step({ a: memory.subarray(5, 5 + size) });
      const before = size === 3 ? [1, 0, 1] : [0, 1];
      assertSame(
        await a.read(),
        before.map((value, i) => value - (5 + i)),
        "sgd, step 1, with a gradient behind the parameter in one array",
        'p of "a"',
      );
    },
  },
  {
    group,
    name: "a disposed optimizer frees its tensors and cannot be used",
    run: async (context) => {
      const { parameters, optimizer, made } = await start(context);
      const state = await optimizer.state();
      const gradient = optimizer.gradient("a");
      optimizer.dispose();
      optimizer.dispose();
      const ones = new Float32Array(3);
      await assertCode("DISPOSED", "step", () => optimizer.step({ a: ones }));
      await assertCode("DISPOSED", "state", () => optimizer.state());
      await assertCode("DISPOSED", "restore", () => optimizer.restore(state));
      await assertCode("DISPOSED", "config", () => optimizer.config());
      await assertCode("DISPOSED", "gradient", () => optimizer.gradient("a"));
      await assertCode("DISPOSED", "add", () => optimizer.add({}));
      assert(gradient.freed, "the tensor of gradient() is not freed by dispose()");
      const own = new Set(Object.values(parameters));
      const kept = made.filter((tensor) => !own.has(tensor) && !tensor.freed).length;
      assert(kept === 0, `${kept} of the optimizer's tensors are not freed by dispose()`);
      assert(!parameters.a.freed, "a parameter, which the caller owns, is freed by dispose()");
      await parameters.a.read();
    },
  },
];

/** An optimizer after one step, and all tensors that were allocated on its backend. */
async function start(context: Context) {
  const backend = await context.target.backend();
  const made: Tensor[] = [];
  const allocate = backend.tensor.bind(backend);
  backend.tensor = (...options) => {
    const tensor = allocate(...options);
    made.push(tensor);
    return tensor;
  };
  const parameters: Record<string, Tensor> = {
    a: backend.tensor([3], [1, 2, 3]),
    b: backend.tensor([2], [4, 5]),
  };
  const groups = [{ match: "b", learningRate: 0.5, every: 1 }];
  const spec: OptimizerSpec = adam({ learningRate: 0.1 });
  const optimizer = context.target.create(spec, parameters, { groups });
  optimizer.step({ a: Float32Array.of(1, 2, 3), b: Float32Array.of(1, 2) });
  return { backend, parameters, optimizer, made };
}

/** Expects each call to be refused with its code, and values, numbers and configuration to stay. */
async function refuse(
  optimizer: Optimizer,
  parameters: Readonly<Record<string, Tensor>>,
  refusals: readonly Refusal[],
): Promise<void> {
  const numbers = async () => {
    const { slots: _, ...state } = await optimizer.state();
    return { ...state, config: optimizer.config(), parameters: optimizer.parameters };
  };
  const before = await snapshot(optimizer, parameters);
  const numbersBefore = await numbers();
  for (const [code, what, call] of refusals) {
    await assertCode(code, what, call);
    assertSameAll(await snapshot(optimizer, parameters), before, `after ${what} was refused`);
    assertEqual(await numbers(), numbersBefore, `the state after ${what} was refused`);
  }
}
