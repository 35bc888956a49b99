import { describe, expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { OptimizerOptions } from "../src/optimizer/optimizer.js";
import type { StepOptions } from "../src/optimizer/step/step-options.js";
import { oracle, reference } from "../src/reference.js";
import { chain } from "../src/rule/chain.js";
import { adam } from "../src/rules/adam.js";
import { sgd } from "../src/rules/sgd.js";
import { clipByNorm } from "../src/stages/factories.js";
import { codeOf, numbers } from "./support.js";
import { rows, columns, run } from "./signal-runs.js";

function scaled(values: Float32Array, scale: number): Float32Array {
  return values.map((value) => Math.fround(value * Math.fround(scale)));
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
