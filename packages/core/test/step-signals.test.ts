import { describe, expect, test } from "vitest";
import type { Backend, Tensor } from "../src/backend/backend.js";
import type { WrappingBackend } from "../src/backend/wrapping-backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { OptimizerOptions } from "../src/optimizer/optimizer.js";
import type { StepOptions } from "../src/optimizer/step/step-options.js";
import { oracle, reference } from "../src/reference.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { chain } from "../src/rule/chain.js";
import { defineRule } from "../src/rule/define-rule.js";
import { nonNegative } from "../src/rule/hyperparameter.js";
import { adafactor } from "../src/rules/adafactor.js";
import { adam } from "../src/rules/adam.js";
import { adamw } from "../src/rules/adamw.js";
import { ftrl } from "../src/rules/ftrl.js";
import { nadam } from "../src/rules/nadam.js";
import { scheduleFreeSgd } from "../src/rules/schedule-free-sgd.js";
import { sgd } from "../src/rules/sgd.js";
import { constant } from "../src/schedules/factories.js";
import { clipByNorm } from "../src/stages/factories.js";
import { laidOut } from "./laid-out.js";
import { anything, bits, codeOf, numbers } from "./support.js";

const rows = 5;
const columns = 3;
const size = rows * columns;
const gradientOf = (seed: number): Float32Array => numbers(size, seed);

function scaled(values: Float32Array, scale: number): Float32Array {
  return values.map((value) => Math.fround(value * Math.fround(scale)));
}

/** Takes steps, and returns the bits of the parameter after each of them. */
function run(
  spec: OptimizerSpec,
  steps: number,
  take: (
    optimizer: ReturnType<typeof createOptimizer>,
    gradient: Float32Array,
    step: number,
    backend: Backend,
  ) => void,
  options: OptimizerOptions = {},
): number[][] {
  const backend = reference();
  const w = backend.tensor([rows, columns], numbers(size, 99));
  const optimizer = createOptimizer(spec, { w }, options);
  return Array.from({ length: steps }, (_, step) => {
    take(optimizer, gradientOf(step), step, backend);
    return bits(w.view!());
  });
}

/** A tensor of one u32 whose memory JavaScript can access. */
function flag(backend: Backend, memory: Uint32Array): Tensor {
  return (backend as WrappingBackend<Uint32Array>).wrap(memory, { shape: [1] });
}

describe("scale", () => {
  const spec = chain(clipByNorm({ clipNorm: 0.4 }), adam());

  test("multiplies gradients before everything else, rounded once", () => {
    const expected = run(spec, 4, (optimizer, gradient) =>
      optimizer.step({ w: scaled(gradient, 0.3) }),
    );
    const ofArrays = run(spec, 4, (optimizer, gradient) => {
      const before = gradient.slice();
      optimizer.step({ w: gradient }, { scale: 0.3 });
      expect(gradient).toEqual(before);
    });
    expect(ofArrays).toEqual(expected);
    const ofTensors = run(spec, 4, (optimizer, gradient, _, backend) =>
      optimizer.step(
        { w: backend.tensor([rows, columns], gradient) },
        { scale: backend.tensor([1], [0.3]) },
      ),
    );
    expect(ofTensors).toEqual(expected);
  });

  test("is that of one step", () => {
    const expected = run(spec, 4, (optimizer, gradient, step) =>
      optimizer.step({ w: step === 1 ? scaled(gradient, 7) : gradient }),
    );
    const actual = run(spec, 4, (optimizer, gradient, step) =>
      optimizer.step({ w: gradient }, step === 1 ? { scale: 7 } : undefined),
    );
    expect(actual).toEqual(expected);
  });

  test("is read from a tensor at the time of the step", () => {
    const scales = [0.5, 3, 0, -1];
    const expected = run(spec, 4, (optimizer, gradient, step) =>
      optimizer.step({ w: scaled(gradient, scales[step]) }),
    );
    const actual = run(spec, 4, (optimizer, gradient, step, backend) => {
      const scale = backend.tensor([]);
      scale.write([scales[step]]);
      optimizer.step({ w: gradient }, { scale });
    });
    expect(actual).toEqual(expected);
  });

  test("goes with masks, sparse gradients, and rows that count their steps", () => {
    const mask = Uint32Array.of(1, 0, 1, 1, 0);
    const indices = Uint32Array.of(3, 0, 3);
    const values = numbers(9, 5);
    for (const options of [
      {},
      { sparse: "lazy" },
      { sparse: "lazy", rowSteps: true },
    ] as OptimizerOptions[]) {
      for (const unselectedRows of ["keep", "decay", "zero"] as const) {
        if (options.rowSteps === true && unselectedRows !== "keep") continue;
        const take =
          (ofArray: (array: Float32Array) => Float32Array, more: StepOptions) =>
          (optimizer: ReturnType<typeof createOptimizer>, gradient: Float32Array, step: number) =>
            step % 2 === 0
              ? optimizer.step({ w: ofArray(gradient) }, { ...more, rows: mask, unselectedRows })
              : // Of both gradients of row 3 the sum is scaled; 0.25 commutes with rounding.
                optimizer.step({ w: { indices, values: ofArray(values) } }, more);
        expect(
          run(
            adam(),
            4,
            take((one) => one, { scale: 0.25 }),
            options,
          ),
        ).toEqual(
          run(
            adam(),
            4,
            take((one) => scaled(one, 0.25), {}),
            options,
          ),
        );
      }
    }
  });

  test("applies to the gradients of a call with accumulate and lossScale", () => {
    const scales = [0.5, 0.25];
    const accumulated = { accumulate: 2 };
    expect(
      run(
        adam(),
        4,
        (optimizer, g, step) => optimizer.step({ w: g }, { scale: scales[step % 2] }),
        accumulated,
      ),
    ).toEqual(
      run(
        adam(),
        4,
        (optimizer, g, step) => optimizer.step({ w: scaled(g, scales[step % 2]) }),
        accumulated,
      ),
    );
    const options = { lossScale: 8 };
    expect(
      run(adam(), 3, (optimizer, g) => optimizer.step({ w: g }, { scale: 0.3 }), options),
    ).toEqual(run(adam(), 3, (optimizer, g) => optimizer.step({ w: scaled(g, 0.3) }), options));
  });

  test("counts for what is not finite", () => {
    const backend = reference();
    const w = backend.tensor([1], [1]);
    const optimizer = createOptimizer(sgd(), { w }, { nonFinite: "skip" });
    optimizer.step({ w: Float32Array.of(3e38) }, { scale: 2 });
    expect([optimizer.skippedSteps, w.view!()[0]]).toEqual([1, 1]);
    const throwing = createOptimizer(sgd(), { w }, { nonFinite: "throw" });
    const gradient = backend.tensor([1], [3e38]);
    const array = Float32Array.of(3e38);
    for (const w of [gradient, array])
      expect(codeOf(() => throwing.step({ w }, { scale: 2, clear: true }))).toBe("NON_FINITE");
    expect([gradient.view!()[0], array[0]]).toEqual([array[0], Math.fround(3e38)]);
    optimizer.step({ w: Float32Array.of(1) });
    expect(w.view!()[0]).toBe(Math.fround(1 - Math.fround(0.01)));
  });

  test("of 1 is none, and in f64 it is not rounded", async () => {
    const backend = oracle();
    const w = backend.tensor([1], [0]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    optimizer.step({ w: Float64Array.of(0.1) }, { scale: 1 });
    expect(await w.read()).toEqual(Float64Array.of(-0.1));
    optimizer.step({ w: Float64Array.of(0.1) }, { scale: 0.3 });
    expect(await w.read()).toEqual(Float64Array.of(-0.1 - 0.1 * 0.3));
  });

  test("clears typed arrays after they were read", () => {
    const backend = reference();
    const w = backend.tensor([1], [0]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    const gradient = Float32Array.of(4);
    optimizer.step({ w: gradient }, { scale: 0.5, clear: true });
    expect([gradient[0], w.view!()[0]]).toEqual([0, -2]);
    const accumulating = createOptimizer(sgd({ learningRate: 1 }), { w }, { accumulate: 2 });
    for (const value of [4, 8]) {
      gradient[0] = value;
      accumulating.step({ w: gradient }, { clear: true });
      expect(gradient[0]).toBe(0);
    }
    expect(w.view!()[0]).toBe(-2 - 6);
  });
});

describe("skip", () => {
  test("changes nothing if it is not 0, and counts as a step", () => {
    const flags = Uint32Array.of(0, 1, 0xffff_ffff, 0);
    const actual = run(adam(), 4, (optimizer, gradient, step, backend) => {
      const skip = flag(backend, flags.subarray(step, step + 1));
      const before = gradient.slice();
      optimizer.step({ w: gradient }, { skip, clear: true });
      expect(optimizer.iterations).toBe(step + 1);
      expect(gradient).toEqual(before.fill(0));
    });
    expect(actual[1]).toEqual(actual[0]);
    expect(actual[2]).toEqual(actual[0]);
    // The bias correction of step 4 after one step: that of moments of another optimizer.
    const backend = reference();
    const w = backend.tensor([rows, columns], numbers(size, 99));
    const optimizer = createOptimizer(adam(), { w });
    optimizer.step({ w: gradientOf(0) });
    const { m, v } = moments(gradientOf(0));
    const scalars = { rate: (1e-3 * Math.sqrt(1 - 0.999 ** 4)) / (1 - 0.9 ** 4) };
    const { c1, c2 } = { c1: Math.fround(1 - 0.9), c2: Math.fround(1 - 0.999) };
    const f = Math.fround;
    const p = w.view!().slice();
    gradientOf(3).forEach((g, i) => {
      const m2 = f(m[i] + f(f(g - m[i]) * c1));
      const v2 = f(v[i] + f(f(f(g * g) - v[i]) * c2));
      p[i] = f(p[i] - f(f(m2 * f(scalars.rate)) / f(f(Math.sqrt(v2)) + f(1e-7))));
    });
    expect(actual[3]).toEqual(bits(p));
  });

  function moments(gradient: Float32Array): { m: Float32Array; v: Float32Array } {
    const f = Math.fround;
    return {
      m: gradient.map((g) => f(g * f(1 - 0.9))),
      v: gradient.map((g) => f(f(g * g) * f(1 - 0.999))),
    };
  }
});

describe("learningRate", () => {
  const spec = adamw({ learningRate: 0.1, weightDecay: 0.2 });

  test("is that of one step, as if it were set", () => {
    const rates = [0.1, 0.03, 0.1, 0.4];
    const expected = run(spec, 4, (optimizer, gradient, step) => {
      optimizer.learningRate = rates[step];
      optimizer.step({ w: gradient });
    });
    const actual = run(spec, 4, (optimizer, gradient, step) => {
      optimizer.step({ w: gradient }, step % 2 === 0 ? {} : { learningRate: rates[step] });
      expect(optimizer.learningRate).toBe(0.1);
    });
    expect(actual).toEqual(expected);
  });

  test("is read from a tensor, with persistent scalars too", () => {
    for (const rule of [adamw, nadam, scheduleFreeSgd, ftrl, adafactor]) {
      const rates = Float32Array.of(0.5, 0.25, 0.125);
      const expected = run(rule({ learningRate: 1 }), 3, (optimizer, gradient, step) => {
        optimizer.learningRate = rates[step];
        optimizer.step({ w: gradient });
      });
      const actual = run(rule({ learningRate: 1 }), 3, (optimizer, gradient, step, backend) => {
        const learningRate = backend.tensor([1], [rates[step]]);
        optimizer.step({ w: gradient }, { learningRate });
      });
      expect(actual).toEqual(expected);
    }
  });

  test("replaces a schedule, and is that of rows that count their steps", () => {
    const options = { sparse: "lazy", rowSteps: true } as const;
    const indices = Uint32Array.of(1, 4);
    const values = numbers(6, 3);
    const take =
      (more: StepOptions) =>
      (optimizer: ReturnType<typeof createOptimizer>): void =>
        optimizer.step({ w: { indices, values } }, more);
    expect(
      run(adam({ learningRate: constant(5) }), 3, take({ learningRate: 0.5 }), options),
    ).toEqual(run(adam({ learningRate: 0.5 }), 3, take({}), options));
  });

  test("leaves groups with a rate or a rule of their own, and is set by name for these", async () => {
    const backend = reference();
    const make = (): Tensor => backend.tensor([1], [0]);
    const parameters = { a: make(), b: make(), c: make(), d: make() };
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), parameters, {
      groups: [
        { match: "b", learningRate: 2 },
        { match: "c", rule: sgd({ learningRate: 3 }) },
      ],
    });
    const one = Float32Array.of(1);
    const gradients = { a: one, b: one, c: one, d: one };
    const values = (): number[] => Object.values(parameters).map((tensor) => -tensor.view!()[0]);
    optimizer.step(gradients, { learningRate: 10 });
    expect(values()).toEqual([10, 2, 3, 10]);
    optimizer.step(gradients, { learningRate: { b: 20, c: backend.tensor([1], [30]) } });
    expect(values()).toEqual([11, 22, 33, 11]);
    optimizer.step(gradients, { learningRate: { a: 40, d: 40 } });
    expect(values()).toEqual([51, 24, 36, 51]);
    optimizer.step(gradients);
    expect(values()).toEqual([52, 26, 39, 52]);
    expect(codeOf(() => optimizer.step(gradients, { learningRate: { a: 40 } }))).toBe(
      "UNKNOWN_OPTION",
    );
    expect(codeOf(() => optimizer.step(gradients, { learningRate: { a: 40, d: 41 } }))).toBe(
      "UNKNOWN_OPTION",
    );
    expect(codeOf(() => optimizer.step({ b: one, c: one }, { learningRate: 4 }))).toBe(
      "UNKNOWN_OPTION",
    );
    expect(codeOf(() => optimizer.step(gradients, { learningRate: { e: 4 } }))).toBe(
      "UNKNOWN_PARAMETER",
    );
    optimizer.step({ a: one }, { learningRate: { a: 5 } });
    expect(values()).toEqual([57, 26, 39, 52]);
  });

  test.each([
    ["a number", (_: Backend, rate: number) => rate],
    ["a tensor", (backend: Backend, rate: number) => backend.tensor([1], [rate])],
  ])("is that of the call that makes the step, for all of its gradients: %s", (_, rateOf) => {
    const backend = reference();
    const make = (): Tensor => backend.tensor([1], [0]);
    const parameters = { a: make(), b: make(), c: make(), late: make() };
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), parameters, {
      accumulate: 2,
      groups: [
        { match: "b", learningRate: 3 },
        { match: "late", rule: sgd({ learningRate: 4 }), every: 8 },
      ],
    });
    const two = Float32Array.of(2);
    const values = (): number[] =>
      Object.values(parameters).map((tensor) => Math.abs(tensor.view!()[0]));
    const step = (names: string[], options?: StepOptions): void =>
      optimizer.step(Object.fromEntries(names.map((name) => [name, two])), options);
    const rate = rateOf(backend, 10);
    step(["a"]);
    step(["c"], { learningRate: rate });
    expect(values()).toEqual([10, 0, 10, 0]);
    step(["a"], { learningRate: rate }); // of no step
    step(["a", "b"]);
    expect(values()).toEqual([12, 3, 10, 0]);
    step(["a", "c"]);
    // No gradient of the call is used, and those of the call before have the rate.
    step(["late"], { learningRate: rate });
    expect(values()).toEqual([22, 3, 20, 0]);
    step(["a", "b"]);
    step(["b"], { learningRate: { a: rate, b: rateOf(backend, 20) } });
    expect(values()).toEqual([32, 43, 20, 0]);
    step(["a"]);
    expect(codeOf(() => step(["c"], { learningRate: { c: rate } }))).toBe("UNKNOWN_OPTION");
    step(["b"]);
    expect(values()).toEqual([33, 46, 20, 0]);
  });
});

test("a learning rate of a step counts for groups of which no parameter has a gradient", () => {
  const summing = defineRule({
    name: "summing",
    hyperparameters: { learningRate: nonNegative(1) },
    slots: {},
    persistentScalars: { total: 0 },
    perStep: `
      total = total + learningRate
      sum = total
    `,
    perElement: "u = g * sum",
  });
  const backend = reference();
  const parameters = { a: backend.tensor([1], [0]), b: backend.tensor([1], [0]) };
  const optimizer = createOptimizer(summing(), parameters, {
    groups: [{ match: "b", every: 2 }],
  });
  const one = Float32Array.of(1);
  // The third step has no gradient of a group that takes part in it.
  optimizer.step({ a: one }, { learningRate: 8 });
  optimizer.step({ a: one });
  optimizer.step({ b: one }, { learningRate: { a: 4 } });
  optimizer.step({ a: one, b: one }, { learningRate: { a: 2, b: 16 } });
  expect(parameters.a.view!()[0]).toBe(-(8 + (8 + 1) + (8 + 1 + 4 + 2)));
  expect(parameters.b.view!()[0]).toBe(-(1 + 16));
});

describe("errors", () => {
  const backend = reference();
  const other = reference();
  const w = backend.tensor([2], [1, 2]);
  const optimizer = createOptimizer(sgd(), { w });
  const step = (options: unknown): unknown =>
    codeOf(() => optimizer.step({ w: Float32Array.of(1, 1) }, anything(options)));

  test("name what is wrong, and nothing has changed", () => {
    const freed = backend.tensor([1]);
    freed.free();
    for (const name of ["scale", "learningRate"]) {
      expect(step({ [name]: "1" })).toBe("UNKNOWN_OPTION");
      expect(step({ [name]: null })).toBe("UNKNOWN_OPTION");
      expect(step({ [name]: other.tensor([1]) })).toBe("INVALID_MEMORY");
      expect(step({ [name]: backend.tensor([2]) })).toBe("LENGTH_MISMATCH");
      expect(step({ [name]: laidOut(backend, { shape: [1], dtype: "f16" }) })).toBe(
        "INVALID_MEMORY",
      );
      expect(step({ [name]: freed })).toBe("DISPOSED");
    }
    expect(step({ scale: Number.NaN })).toBe("UNKNOWN_OPTION");
    expect(step({ learningRate: -1 })).toBe("INVALID_HYPERPARAMETER");
    expect(step({ learningRate: backend.tensor([1], [-1]) })).toBe("INVALID_HYPERPARAMETER");
    expect(step({ skip: true })).toBe("UNKNOWN_OPTION");
    expect(step({ skip: backend.tensor([1]) })).toBe("INVALID_MEMORY");
    expect(step({ skip: laidOut(backend, { shape: [2], dtype: "u32" }) })).toBe("LENGTH_MISMATCH");
    expect([optimizer.iterations, ...w.view!()]).toEqual([0, 1, 2]);
    optimizer.step({ w: Float32Array.of(1, 1) });
    expect(w.view!()[0]).toBe(Math.fround(1 - Math.fround(0.01)));
  });

  test("skip is refused with accumulate", () => {
    const accumulating = createOptimizer(sgd(), { w }, { accumulate: 2 });
    const skip = flag(backend, new Uint32Array(1));
    expect(codeOf(() => accumulating.step({ w: new Float32Array(2) }, { skip }))).toBe(
      "UNSUPPORTED",
    );
    expect(accumulating.microSteps).toBe(0);
  });

  test("a rate in a tensor is refused for rows that count their own steps", () => {
    const signalling = Object.assign(reference(), { takesSignals: true });
    const rows = signalling.tensor([2], [1, 2]);
    const counting = createOptimizer(adam(), { rows }, { sparse: "lazy", rowSteps: true });
    const learningRate = signalling.tensor([1], [0.5]);
    const step = () => counting.step({ rows: new Float32Array(2) }, { learningRate });
    expect(codeOf(step)).toBe("UNSUPPORTED");
    expect([counting.iterations, ...rows.view!()]).toEqual([0, 1, 2]);
  });
});
