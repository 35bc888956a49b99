import type { Backend, ErrorCode, Optimizer, Tensor } from "@gradstep/core";

/** A call that is refused: the code of its error, what is wrong, and the call. */
export type Refusal = readonly [code: ErrorCode, what: string, call: () => unknown];

/** Steps with wrong gradients or options. */
export function refusedSteps(
  backend: Backend,
  optimizer: Optimizer,
  parameters: Readonly<Record<string, Tensor>>,
  foreign: Tensor,
): readonly Refusal[] {
  const good = Float32Array.of(1, 1, 1);
  const step = (gradients: unknown) => () => optimizer.step(gradients as never);
  return [
    ["LENGTH_MISMATCH", "a longer gradient", step({ b: good, a: good })],
    ["LENGTH_MISMATCH", "a shorter gradient", step({ a: good.subarray(1), b: good.subarray(1) })],
    ["LENGTH_MISMATCH", "a longer tensor", step({ a: backend.tensor([4]) })],
    ["UNKNOWN_PARAMETER", "a gradient without parameter", step({ a: good, c: good })],
    ["INVALID_GRADIENT", "no gradient", step({})],
    ["INVALID_GRADIENT", "only missing gradients", step({ a: undefined, b: null })],
    ["INVALID_GRADIENT", "a Float64Array", step({ a: new Float64Array(3) })],
    ["INVALID_GRADIENT", "a plain array", step({ a: [1, 1, 1] })],
    ["INVALID_GRADIENT", "a tensor of another backend", step({ a: foreign })],
    ["INVALID_GRADIENT", "null", step(null)],
    ["OVERLAPPING_MEMORY", "the parameter itself", step({ a: parameters.a })],
    [
      "UNKNOWN_OPTION",
      "an unknown option of a step",
      () => optimizer.step({ a: good }, { others: "keep" } as never),
    ],
  ];
}

/** Numbers that a hyperparameter cannot have. */
export function refusedNumbers(optimizer: Optimizer<string>): readonly Refusal[] {
  const code = "INVALID_HYPERPARAMETER";
  const [own] = optimizer.groups;
  return [
    [code, "a learning rate that is NaN", () => (optimizer.learningRate = Number.NaN)],
    [code, "a negative learning rate", () => (optimizer.learningRate = -1)],
    [code, "a group's beta1 of 1.5", () => (own.beta1 = 1.5)],
    [code, "a group's every of 0", () => (own.every = 0)],
    [code, "a group's every of 1.5", () => (own.every = 1.5)],
  ];
}

/** States of another optimizer, or with wrong numbers. */
export async function refusedStates(optimizer: Optimizer): Promise<readonly Refusal[]> {
  const state = await optimizer.state();
  const { slots, hyperparameters } = state;
  const [base, second] = state.groups;
  const restore = (changes: object) => () =>
    optimizer.restore({ ...state, iterations: 7, ...changes });
  const restoreGroup = (changes: object) => restore({ groups: [base, { ...second, ...changes }] });
  const { learningRate: _, ...incomplete } = hyperparameters;
  const code = "STATE_MISMATCH";
  return [
    [code, "a state of another rule", restore({ rule: "sgd" })],
    [code, "a state of another version", restore({ version: 2 })],
    [code, "a state with other options", restore({ options: { ...state.options, amsgrad: true } })],
    [code, "a state without b", restore({ slots: { a: slots.a } })],
    [code, "a state without a slot", restore({ slots: { ...slots, b: { m: slots.b.m } } })],
    [code, "a state of another length", restore({ slots: { a: slots.b, b: slots.b } })],
    [code, "a state of −1 steps", restore({ iterations: -1 })],
    [code, "a state without groups", restore({ groups: [base] })],
    [code, "a state with a parameter in another group", restoreGroup({ parameters: ["a"] })],
    [code, "a group of half a step", restoreGroup({ iterations: 0.5 })],
    [code, "a group without persistent scalars", restoreGroup({ persistentScalars: undefined })],
    [
      code,
      "a state in which the second group has a beta1 of 2",
      restore({
        hyperparameters: { ...hyperparameters, learningRate: 0.7 },
        groups: [base, { ...second, hyperparameters: { beta1: 2 } }],
      }),
    ],
    [
      code,
      "a state with an unknown hyperparameter",
      restoreGroup({ hyperparameters: { momentum: 0.5 } }),
    ],
    [code, "a state without a learning rate", restore({ hyperparameters: incomplete })],
  ];
}

/** Parameters that cannot be added. */
export function refusedParameters(
  backend: Backend,
  optimizer: Optimizer,
  parameters: Readonly<Record<string, Tensor>>,
  foreign: Tensor,
): readonly Refusal[] {
  const added = backend.tensor([3]);
  return [
    [
      "INVALID_PARAMETER",
      "a name that is taken",
      () => optimizer.add({ c: added, a: backend.tensor([3]) }),
    ],
    ["INVALID_PARAMETER", "a parameter of another backend", () => optimizer.add({ c: foreign })],
    ["OVERLAPPING_MEMORY", "a parameter twice", () => optimizer.add({ c: parameters.a })],
    ["OVERLAPPING_MEMORY", "one tensor by two names", () => optimizer.add({ c: added, d: added })],
    ["UNKNOWN_PARAMETER", "the gradient of no parameter", () => optimizer.gradient("c")],
  ];
}

/** Masks and moves of rows with wrong input. */
export function refusedRows(backend: Backend, optimizer: Optimizer): readonly Refusal[] {
  const gradients = { a: new Float32Array(6).fill(3), b: new Float32Array(3).fill(4) };
  const step = (options: object) => () => optimizer.step(gradients, options);
  const rows = optimizer.rows(["a", "b"]);
  const remap = (indices: unknown, options?: object) => () =>
    rows.remap(indices as Uint32Array, options);
  const three = Uint32Array.of(2, 1, 0);
  return [
    ["LENGTH_MISMATCH", "a shorter mask", step({ rows: Uint32Array.of(1, 0) })],
    ["LENGTH_MISMATCH", "a longer mask of b", step({ rows: { b: Uint32Array.of(1, 0, 1, 1) } })],
    ["UNKNOWN_PARAMETER", "a mask of no parameter", step({ rows: { c: three } })],
    ["INVALID_MEMORY", "a mask of numbers", step({ rows: { a: [1, 0, 1] } })],
    ["INVALID_HYPERPARAMETER", "other rows to drop", step({ rows: three, unselectedRows: "drop" })],
    ["INVALID_MEMORY", "an index that is too large", remap(Uint32Array.of(0, 3))],
    ["LENGTH_MISMATCH", "no rows", remap(new Uint32Array(0))],
    ["LENGTH_MISMATCH", "fewer indices than rows", remap(three, { count: 4 })],
    ["LENGTH_MISMATCH", "fewer flags than rows", remap(three, { resetRows: Uint32Array.of(1) })],
    ["INVALID_MEMORY", "indices in an array", remap([0, 1])],
    ["UNKNOWN_OPTION", "an unknown option of a remap", remap(three, { fresh: three })],
    [
      "INVALID_SHAPE",
      "a replacement of another shape",
      remap(three, { parameters: { a: backend.tensor([3]) } }),
    ],
    [
      "UNKNOWN_PARAMETER",
      "a replacement of no parameter",
      remap(three, { parameters: { c: backend.tensor([3]) } }),
    ],
    ["INVALID_SHAPE", "rows of a single number", () => optimizer.rows()],
    ["UNKNOWN_PARAMETER", "rows of no parameter", () => optimizer.rows(["c"])],
  ];
}

/** What a backend without rows refuses. */
export function withoutRows(optimizer: Optimizer): readonly Refusal[] {
  const mask = Uint32Array.of(1, 0, 1);
  return [
    ["UNSUPPORTED", "rows of a backend without", () => optimizer.rows("a")],
    ["UNSUPPORTED", "a mask", () => optimizer.step({ a: new Float32Array(3) }, { rows: mask })],
  ];
}
