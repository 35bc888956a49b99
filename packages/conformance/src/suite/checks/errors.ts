import { adam, type ErrorCode, type Tensor } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assert, assertCode, assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";

/** A step, a setter or a restore that throws has a code and has changed nothing. */
export const errorChecks: readonly Check[] = [
  {
    group: "errors",
    name: "what throws has changed nothing",
    run: refuseAll,
  },
  {
    group: "errors",
    name: "a disposed optimizer cannot be used",
    run: async (context) => {
      const { optimizer, parameters } = await start(context);
      const state = await optimizer.state();
      optimizer.dispose();
      optimizer.dispose();
      await assertCode("DISPOSED", "step", () => optimizer.step({ a: new Float32Array(3) }));
      await assertCode("DISPOSED", "state", () => optimizer.state());
      await assertCode("DISPOSED", "restore", () => optimizer.restore(state));
      assert(!parameters.a.freed, "parameters are the caller's and are not freed by dispose");
      await parameters.a.read();
    },
  },
];

async function start(context: Context) {
  const backend = await context.target.backend();
  const parameters: Record<string, Tensor> = {
    a: backend.tensor([3], [1, 2, 3]),
    b: backend.tensor([2], [4, 5]),
  };
  const groups = [{ match: "b", learningRate: 0.5 }];
  const optimizer = context.target.create(adam({ learningRate: 0.1 }), parameters, { groups });
  optimizer.step({ a: Float32Array.of(1, 2, 3), b: Float32Array.of(1, 2) });
  return { backend, parameters, optimizer };
}

async function refuseAll(context: Context): Promise<void> {
  const { backend, parameters, optimizer } = await start(context);
  const foreign = (await context.target.backend()).tensor([3]);
  const good = Float32Array.of(1, 1, 1);
  const state = await optimizer.state();
  const { slots } = state;
  const step = (gradients: unknown) => () => optimizer.step(gradients as never);
  const restore = (changes: object) => () => optimizer.restore({ ...state, ...changes });
  const set = (change: () => void) => change;
  const refusals: [ErrorCode, string, () => unknown][] = [
    ["LENGTH_MISMATCH", "a longer gradient", step({ b: good, a: good })],
    ["LENGTH_MISMATCH", "a shorter gradient", step({ a: good.subarray(1), b: good.subarray(1) })],
    ["LENGTH_MISMATCH", "a longer tensor", step({ a: backend.tensor([4]) })],
    ["UNKNOWN_PARAMETER", "a gradient of nobody", step({ a: good, c: good })],
    ["INVALID_GRADIENT", "no gradient", step({})],
    ["INVALID_GRADIENT", "only missing gradients", step({ a: undefined, b: null })],
    ["INVALID_GRADIENT", "a Float64Array", step({ a: new Float64Array(3) })],
    ["INVALID_GRADIENT", "a plain array", step({ a: [1, 1, 1] })],
    ["INVALID_GRADIENT", "a tensor of another backend", step({ a: foreign })],
    ["INVALID_GRADIENT", "null", step(null)],
    ["OVERLAPPING_MEMORY", "the parameter itself", step({ a: parameters.a })],
    [
      "INVALID_HYPERPARAMETER",
      "a rate that is NaN",
      set(() => (optimizer.learningRate = Number.NaN)),
    ],
    ["INVALID_HYPERPARAMETER", "a rate below 0", set(() => (optimizer.learningRate = -1))],
    [
      "INVALID_HYPERPARAMETER",
      "a group's beta1 of 1.5",
      set(() => (optimizer.groups[0].beta1 = 1.5)),
    ],
    ["STATE_MISMATCH", "a state of another rule", restore({ rule: "sgd" })],
    ["STATE_MISMATCH", "a state of another version", restore({ version: 2 })],
    ["STATE_MISMATCH", "a state without b", restore({ slots: { a: slots.a } })],
    ["STATE_MISMATCH", "a state of another length", restore({ slots: { a: slots.b, b: slots.b } })],
    ["STATE_MISMATCH", "a state of −1 steps", restore({ iterations: -1 })],
    ["INVALID_PARAMETER", "a name that is taken", () => optimizer.add({ a: backend.tensor([3]) })],
    ["INVALID_PARAMETER", "a parameter of another backend", () => optimizer.add({ c: foreign })],
    ["OVERLAPPING_MEMORY", "a parameter twice", () => optimizer.add({ c: parameters.a })],
  ];
  const before = await snapshot(optimizer, parameters);
  for (const [code, what, refused] of refusals) {
    await assertCode(code, what, refused);
    assertSameAll(await snapshot(optimizer, parameters), before, `after ${what} was refused`);
    assert(
      optimizer.iterations === 1,
      `iterations is ${optimizer.iterations} after ${what}; expected 1`,
    );
    assert(optimizer.learningRate === 0.1, `the rate is another after ${what}`);
  }
}
