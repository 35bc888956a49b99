import {
  adam,
  createOptimizer,
  GradstepError,
  hasNames,
  show,
  variantOf,
  type ErrorCode,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import {
  Bounds,
  Checker,
  conformance,
  describeViolation,
  emptyStats,
  goldenSpec,
  newtonSchulzBound,
  parseGolden,
  replay,
  roundToNearest,
  runMutants,
  snapshot,
  verify,
  worstCase,
} from "../src/index.js";

const throwing = new Proxy({}, { get: () => expect.unreachable("a proxy was read") });
/** Values that are none of the options. */
const wrong: readonly unknown[] = [
  null,
  -1,
  0.5,
  NaN,
  "1",
  Symbol("1"),
  1n,
  [1],
  {},
  new Map(),
  Promise.resolve(1),
  new Date(0),
  throwing,
];
const notOptions = [null, 1, "x", [1], throwing];
const notTables = wrong.filter((value) => !hasNames(value));

/** The codes of what is thrown for each value in turn, each once. Every message says what was expected. */
async function codesFor(
  act: (value: never) => unknown,
  values: readonly unknown[] = wrong,
): Promise<readonly ErrorCode[]> {
  const codes = new Set<ErrorCode>();
  for (const value of values) {
    const error: unknown = await (async () => act(value as never))().then(
      () => "nothing was thrown",
      (thrown: unknown) => thrown,
    );
    expect([show(value), error]).toEqual([show(value), expect.any(GradstepError)]);
    const { code, message } = error as GradstepError;
    expect(message).toMatch(/expected|it has/);
    codes.add(code);
  }
  return [...codes];
}

const invalid: ErrorCode = "INVALID_HYPERPARAMETER";
const describeGroup = (_: string, body: () => void): void => body();
const register = Object.assign(() => {}, { skip: () => {} });
const runner = { describe: describeGroup, test: register };
const backend = reference;

describe.each([
  ["conformance", (options: object) => conformance({ ...runner, backend, ...options })],
  ["verify", (options: object) => verify({ backend, ...options })],
])("%s refuses options that are wrong", (name, run) => {
  test("the object itself, and unknown ones", async () => {
    const bare = name === "verify" ? verify : conformance;
    expect(await codesFor((value) => bare(value), notTables)).toEqual(["UNKNOWN_OPTION"]);
    expect(await codesFor(() => run({ case: 1 }), [undefined])).toEqual(["UNKNOWN_OPTION"]);
  });

  test.each(["backend", "model", "wrapsArrays", "rows", "reductions", "maskTensors", "groups"])(
    "%s",
    async (option) => {
      expect(await codesFor((value) => run({ [option]: value }))).toEqual([invalid]);
    },
  );

  test.each(["cases", "sequences", "maxKernels", "seed"])("%s", async (option) => {
    expect(await codesFor((value) => run({ [option]: value }))).toEqual([invalid]);
  });

  test("cases and kernels of 0, endless cases, and a group that does not exist", async () => {
    expect(await codesFor((cases) => run({ cases }), [0, Infinity])).toEqual([invalid]);
    expect(await codesFor((maxKernels) => run({ maxKernels }), [0])).toEqual([invalid]);
    expect(await codesFor((group) => run({ groups: [group] }), ["bound"])).toEqual([
      "UNKNOWN_OPTION",
    ]);
  });
});

test("conformance refuses what is no test runner", async () => {
  for (const name of ["describe", "test"])
    expect(await codesFor((value) => conformance({ ...runner, backend, [name]: value }))).toEqual([
      invalid,
    ]);
  expect(
    await codesFor(() => conformance({ ...runner, backend, test: (() => {}) as never })),
  ).toEqual([invalid]);
});

test("verify refuses what does not watch a run", async () => {
  expect(await codesFor((value) => verify({ backend }, value), notOptions)).toEqual([
    "UNKNOWN_OPTION",
  ]);
  for (const name of ["signal", "onProgress", "onResult"])
    expect(await codesFor((value) => verify({ backend }, { [name]: value }))).toEqual([invalid]);
});

test("what the function gives in place of a backend is named in each result", async () => {
  const { checks } = await verify({ backend: () => ({}) as never, groups: ["tensors"], cases: 1 });
  for (const { status, reason } of checks) {
    expect(status).toBe("failed");
    expect(reason).toMatch(/backend\(\) gave .*; expected a backend/);
  }
});

test("runMutants", async () => {
  expect(await codesFor((value) => runMutants(value), notOptions)).toEqual(["UNKNOWN_OPTION"]);
  expect(await codesFor((sample) => runMutants({ sample }), notOptions)).toEqual([
    "UNKNOWN_OPTION",
  ]);
  for (const name of ["cases", "seed", "names", "groups", "model", "backend", "signal", "onResult"])
    expect(await codesFor((value) => runMutants({ [name]: value }))).toEqual([invalid]);
  for (const sample of [{}, { count: 1 }, { count: 0, seed: 1 }, { count: 1, seed: "1" }])
    expect(await codesFor(() => runMutants({ sample: sample as never }))).toEqual([invalid]);
});

test("golden runs", async () => {
  expect(await codesFor((value) => parseGolden(value, "runs.json"), [undefined, ...wrong])).toEqual(
    ["INVALID_FILE"],
  );
  const every = [undefined, ...wrong];
  expect(await codesFor((name) => parseGolden("{", name), every)).toEqual(["INVALID_FILE"]);
  expect(await codesFor((value) => replay(value), every)).toEqual(["INVALID_FILE"]);
  const caseCodes = await codesFor((value) => goldenSpec("torch", value), notTables);
  expect(caseCodes).toEqual(["INVALID_FILE"]);
  const one = { id: "a", optimizer: "Adam", config: {}, expected: [] };
  expect(await codesFor((value) => goldenSpec(value, one), every)).toEqual(["INVALID_FILE"]);
  const file = { library: "torch", parameters: {}, gradients: [], cases: [] } as const;
  expect(await codesFor((value) => replay(file, value), notOptions)).toEqual(["UNKNOWN_OPTION"]);
  for (const name of ["backend", "model", "create"])
    expect(await codesFor((value) => replay(file, { [name]: value }))).toEqual([invalid]);
});

test("Checker, snapshot and what describes them", async () => {
  expect(await codesFor((value) => new Checker(value), [undefined, null, 1, [1]])).toEqual([
    "UNKNOWN_OPTION",
  ]);
  const spec = adam();
  const shapes = { w: [2] };
  for (const name of ["shapes", "values"])
    expect(
      await codesFor((value) => new Checker({ spec, shapes, [name]: value }), notTables),
    ).toEqual(["INVALID_PARAMETER"]);
  expect(await codesFor((model) => new Checker({ spec, shapes, model }))).toEqual([invalid]);
  const parameters = { w: reference().tensor([2]) };
  const optimizer = createOptimizer(spec, parameters);
  const checker = new Checker({ spec, shapes });
  const before = await snapshot(optimizer, parameters);
  const step = { before, gradients: { w: Float32Array.of(1, 2) }, after: before };
  const stats = emptyStats();
  for (const name of ["before", "after"])
    expect(await codesFor((value) => checker.step({ ...step, stats, [name]: value }))).toEqual([
      "INVALID_PARAMETER",
    ]);
  expect(await codesFor((value) => checker.step(value), notOptions)).toEqual(["UNKNOWN_OPTION"]);
  expect(checker.optimizer.iterations).toBe(0);
  expect(await codesFor((value) => snapshot(value, parameters))).toEqual(["INVALID_PARAMETER"]);
  expect(await codesFor((value) => snapshot(optimizer, { w: value }))).toEqual([
    "INVALID_PARAMETER",
  ]);
  expect(await codesFor((value) => describeViolation(value), [undefined, ...wrong])).toEqual([
    "INVALID_PARAMETER",
  ]);
});

test("bounds and the simulated GPU", async () => {
  const { perElement } = variantOf(adam());
  expect(await codesFor((value) => new Bounds(value, roundToNearest))).toEqual(["INVALID_RULE"]);
  expect(await codesFor((value) => new Bounds(perElement, value))).toEqual([invalid]);
  const x = { exact: new Float64Array(2), radius: new Float64Array(1) };
  const sizes = { matrices: 1, rows: 1, columns: 2 };
  const factors = [1, 2, 3].map((exact) => ({ exact, error: 0 }));
  expect(
    await codesFor((value) => newtonSchulzBound(value, sizes, factors, roundToNearest)),
  ).toEqual(["INVALID_PARAMETER"]);
  expect(await codesFor((value) => newtonSchulzBound(x, value, factors, roundToNearest))).toEqual([
    "INVALID_PARAMETER",
  ]);
  expect(await codesFor((value) => newtonSchulzBound(x, sizes, value, roundToNearest))).toEqual([
    "INVALID_PARAMETER",
  ]);
  expect(await codesFor((value) => newtonSchulzBound(x, sizes, factors, value))).toEqual([invalid]);
  expect(await codesFor((seed) => worstCase(seed))).toEqual([invalid]);
});
