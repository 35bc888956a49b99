import { describe, expect, test } from "vitest";
import type { Backend, Tensor } from "../src/backend/backend.js";
import type { WrappingBackend } from "../src/backend/wrapping-backend.js";
import type { HostArray } from "../src/backend/host-array.js";
import { GradstepError } from "../src/errors.js";
import { earlyStopping } from "../src/index.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer, OptimizerOptions } from "../src/optimizer/optimizer.js";
import { reference } from "../src/reference.js";
import { chain } from "../src/rule/chain.js";
import { adam } from "../src/rules/adam.js";
import { sgd } from "../src/rules/sgd.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { clipByGlobalNorm, ema } from "../src/stages/factories.js";
import { guarding } from "./guarding-backend.js";
import { anything, codeOf, numbers } from "./support.js";

type HostBackend = WrappingBackend<HostArray>;

/** The reference without some of what a backend may have. */
function without(...features: readonly (keyof Backend)[]): HostBackend {
  const backend = reference();
  for (const name of features) Object.defineProperty(backend, name, { value: undefined });
  return backend;
}

/** An optimizer of a matrix of 3 rows, which none of the refused calls may change. */
function start(
  backend: HostBackend,
  options: OptimizerOptions = {},
): { readonly w: Tensor; readonly optimizer: Optimizer } {
  const w = backend.tensor([3, 2], numbers(6, 1));
  return { w, optimizer: createOptimizer(adam(), { w }, options) as Optimizer };
}

/** The code with which a call fails that has changed nothing. */
async function refusal(
  { w, optimizer }: ReturnType<typeof start>,
  call: () => unknown,
): Promise<string> {
  const content = async (): Promise<unknown> =>
    structuredClone([await w.read(), await optimizer.state()]);
  const before = await content();
  const code = codeOf(call);
  expect(await content()).toEqual(before);
  return code;
}

describe("a backend that cannot copy tensors", () => {
  test("exchanges no weights", async () => {
    const backend = reference();
    const w = backend.tensor([3], [1, 2, 3]);
    const optimizer = createOptimizer(chain(adam(), ema(0.5)), { w }) as Optimizer;
    Object.defineProperty(backend, "copy", { value: undefined });
    expect(await refusal({ w, optimizer }, () => optimizer.swap())).toBe("UNSUPPORTED");
    expect(optimizer.isSwapped).toBe(false);
  });

  test("keeps no best weights", () => {
    const w = without("copy").tensor([3]);
    expect(codeOf(() => earlyStopping({ parameters: { w } }))).toBe("UNSUPPORTED");
  });
});

describe("a backend that takes no layouts", () => {
  const backend = without("takesLayouts");

  test("takes no gradients by activated values", () => {
    const activatedGradients = { w: "exp" } as const;
    expect(codeOf(() => start(backend, { activatedGradients }))).toBe("UNSUPPORTED");
    // Which change nothing.
    expect(() => start(backend, { activatedGradients: { w: "identity" } })).not.toThrow();
  });

  test("clears arrays, and no tensors", async () => {
    const run = start(backend);
    const gradient = backend.tensor([3, 2], numbers(6, 2));
    const step = (w: Tensor | Float32Array) => (): void =>
      run.optimizer.step({ w }, { clear: true });
    expect(await refusal(run, step(gradient))).toBe("UNSUPPORTED");
    const array = numbers(6, 2);
    step(array)();
    expect(array).toEqual(new Float32Array(6));
    // Cleared once: the next step has no clear.
    const kept = numbers(6, 3);
    run.optimizer.step({ w: kept });
    expect(kept).toEqual(numbers(6, 3));
  });

  test("takes gradients of f32 and f16, and no integers", async () => {
    const run = start(backend);
    const integers = backend.wrap(new Int32Array(6), { shape: [3, 2], scale: 0.5 });
    expect(await refusal(run, () => run.optimizer.step({ w: integers }))).toBe("INVALID_GRADIENT");
    const halves = backend.wrap(new Uint16Array(6), { shape: [3, 2], dtype: "f16" });
    const strided = backend.wrap(new Float32Array(12), { shape: [3, 2], rowStride: 4 });
    for (const w of [halves, strided]) expect(() => run.optimizer.step({ w })).not.toThrow();
  });
});

test("a state with a number of rows does not fit a backend without rows", async () => {
  const saved = start(reference(), { rowCounts: { w: 1 } });
  const state = structuredClone(await saved.optimizer.state());
  const run = start(without("remap"));
  const misfits = (rowCounts: object): unknown => {
    try {
      run.optimizer.restore({ ...state, ...rowCounts });
      return [];
    } catch (error) {
      if (!(error instanceof GradstepError)) throw error;
      return error.misfits?.map(({ kind, path, got, expected }) => [kind, path, got, expected]);
    }
  };
  expect(misfits({})).toEqual([["shape", "rowCounts.w", "1 of 3 rows", "all"]]);
  expect(misfits({ rowCounts: { w: 4 } })).toEqual([["format", "rowCounts.w", "4", "at most 3"]]);
  expect(misfits({ rowCounts: { w: 3 } })).toEqual([]);
});

test("a backend that runs one rule at a time takes rules that share no reduction", () => {
  const clipped = chain(clipByGlobalNorm(), adam());
  const make = (rule: OptimizerSpec) => (): unknown => {
    const backend = without("runTogether");
    const parameters = { a: backend.tensor([1]), b: backend.tensor([1]) };
    return createOptimizer(clipped, parameters, { groups: [{ match: "b", rule }] });
  };
  expect(make(sgd())).not.toThrow();
  expect(codeOf(make(chain(clipByGlobalNorm(), sgd())))).toBe("UNSUPPORTED");
});

describe("what a host cannot read on a device is refused", () => {
  const hidden = (backend: ReturnType<typeof guarding>, values: readonly number[]): Tensor =>
    backend.hide(backend.wrap(Uint32Array.from(values), { shape: [values.length] }));

  test("a scale, a flag, a rate", async () => {
    const backend = guarding();
    const run = start(backend);
    const w = numbers(6, 2);
    const one = backend.tensor([1], [1]);
    for (const options of [{ scale: one }, { learningRate: one }, { skip: hidden(backend, [0]) }])
      expect(await refusal(run, () => run.optimizer.step({ w }, options))).toBe("UNSUPPORTED");
  });

  test("indices of gradients that the host has to sum", async () => {
    const backend = guarding();
    const run = start(backend, { accumulate: 2 });
    const values = backend.tensor([1, 2], [1, 2]);
    const indices = hidden(backend, [1]);
    expect(await refusal(run, () => run.optimizer.step({ w: { indices, values } }))).toBe(
      "UNSUPPORTED",
    );
    expect(
      await refusal(run, () => run.optimizer.step({ w: { indices: Uint32Array.of(1), values } })),
    ).toBe("UNSUPPORTED");
    expect(
      await refusal(run, () =>
        run.optimizer.step({ w: { indices, values: Float32Array.of(1, 2) } }),
      ),
    ).toBe("INVALID_GRADIENT");
  });

  test("what rows that count their own steps depend on", async () => {
    const backend = guarding();
    const run = start(backend, { sparse: "lazy", rowSteps: true });
    const { optimizer } = run;
    const rows = hidden(backend, [1, 0, 0]);
    const gradient = { indices: rows, values: backend.tensor([3, 2]) };
    const sources = Uint32Array.of(2, 1, 0);
    const calls: readonly (() => unknown)[] = [
      () => optimizer.step({ w: gradient }),
      () => optimizer.step({ w: numbers(6, 3) }, { rows }),
      () => optimizer.reset("w", { rows }),
      () => optimizer.rows("w").remap(rows),
      () => optimizer.rows("w").remap(sources, { resetRows: rows }),
      () => optimizer.encode([], { w: gradient }),
    ];
    for (const call of calls) expect(await refusal(run, call)).toBe("UNSUPPORTED");
    optimizer.rows("w").remap(sources, { resetRows: { w: "all" } });
    expect(optimizer.rows("w").count).toBe(3);
  });
});

describe("options that contradict each other are refused", () => {
  test("clear, and a sparse gradient", async () => {
    const run = start(reference());
    const w = { indices: Uint32Array.of(1), values: Float32Array.of(1, 2) };
    expect(await refusal(run, () => run.optimizer.step({ w }, { clear: true }))).toBe(
      "UNSUPPORTED",
    );
    expect([...w.values]).toEqual([1, 2]);
    const clear = anything<boolean>("true");
    expect(await refusal(run, () => run.optimizer.step({ w }, { clear }))).toBe(
      "INVALID_HYPERPARAMETER",
    );
  });

  test.each(["propagate", "throw"] as const)("a dynamic loss scale, and %s", (nonFinite) => {
    for (const lossScale of ["dynamic", { initial: 8 }] as const)
      expect(codeOf(() => start(reference(), { lossScale, nonFinite }))).toBe(
        "INVALID_HYPERPARAMETER",
      );
    expect(() => start(reference(), { lossScale: 8, nonFinite })).not.toThrow();
  });

  test.each([null, "static", 0, Infinity])("%o is no loss scale", (lossScale) => {
    expect(codeOf(() => start(reference(), { lossScale: anything<number>(lossScale) }))).toBe(
      "INVALID_HYPERPARAMETER",
    );
  });
});

test("a sum of finite gradients that is not finite is dropped", async () => {
  const w = reference().tensor([1], [1]);
  const optimizer = createOptimizer(
    sgd({ learningRate: 1 }),
    { w },
    { accumulate: 2, nonFinite: "throw" },
  );
  const large = Float32Array.of(3e38);
  optimizer.step({ w: large });
  expect(codeOf(() => optimizer.step({ w: large }))).toBe("NON_FINITE");
  expect([...(await w.read())]).toEqual([1]);
  for (let call = 0; call < 2; call += 1) optimizer.step({ w: Float32Array.of(0.5) });
  expect([...(await w.read())]).toEqual([0.5]);
});

test("a rate that would change nothing is refused, unless the step changes nothing", () => {
  const groups = [{ match: "w", learningRate: 0.5, every: 2 }];
  const { optimizer } = start(reference(), { groups });
  const step = (): void => optimizer.step({ w: numbers(6, 1) }, { learningRate: 1 });
  expect(step).not.toThrow();
  expect(codeOf(step)).toBe("UNKNOWN_OPTION");
});

describe("memory that runs out", () => {
  /** Lets the backend allocate some tensors, and records them. */
  function limit(backend: HostBackend, room: number): Tensor[] {
    const made: Tensor[] = [];
    const allocate = backend.tensor.bind(backend);
    backend.tensor = (...inputs: Parameters<typeof allocate>) => {
      if (made.length >= room) throw new Error("full");
      const one = allocate(...inputs);
      made.push(one);
      return one;
    };
    return made;
  }

  test.each([0, 1, 2])("weights are exchanged with all or with none; room for %i", async (room) => {
    const backend = reference();
    const [a, b, c] = [1, 2, 3].map((value) => backend.tensor([1], [value]));
    const optimizer = createOptimizer(chain(sgd(), ema(0.5)), { a, b, c });
    const one = Float32Array.of(1);
    optimizer.step({ a: one, b: one, c: one });
    const before = await optimizer.state();
    const made = limit(backend, room);
    expect(() => optimizer.swap()).toThrow("full");
    expect(made.map(({ freed }) => freed)).toEqual(made.map(() => true));
    expect([made.length, optimizer.isSwapped]).toEqual([room, false]);
    expect(await optimizer.state()).toEqual(before);
  });

  test.each([0, 1])("best weights are kept whole; room for %i", async (room) => {
    const backend = reference();
    const parameters = { a: backend.tensor([1], [1]), b: backend.tensor([1], [2]) };
    const stopping = earlyStopping({ parameters });
    const made = limit(backend, room);
    expect(() => stopping.update(1)).toThrow("full");
    expect(made.map(({ freed }) => freed)).toEqual(made.map(() => true));
    expect(stopping.best).toBe(null);
  });

  test("what steps with sparse gradients needed is freed with the optimizer", () => {
    const backend = reference();
    const parameters = { w: backend.tensor([3, 2]) };
    const made = limit(backend, Infinity);
    for (const options of [{}, { sparse: "lazy" }, { accumulate: 2 }] as const) {
      const optimizer = createOptimizer(adam(), parameters, options);
      const w = { indices: Uint32Array.of(1, 1), values: Float32Array.of(1, 2, 3, 4) };
      optimizer.step({ w });
      optimizer.step({ w: numbers(6, 1) });
      optimizer.dispose();
    }
    expect(made.length).toBeGreaterThan(6);
    expect(made.filter(({ freed }) => !freed)).toEqual([]);
  });
});
