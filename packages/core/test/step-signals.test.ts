import { describe, expect, test } from "vitest";
import type { Backend, Tensor } from "../src/backend/backend.js";
import type { WrappingBackend } from "../src/backend/wrapping-backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { sgd } from "../src/rules/sgd.js";
import { laidOut } from "./laid-out.js";
import { anything, bits, codeOf, numbers } from "./support.js";
import { rows, columns, size, gradientOf, run } from "./signal-runs.js";

/** A tensor of one u32 whose memory JavaScript can access. */
function flag(backend: Backend, memory: Uint32Array): Tensor {
  return (backend as WrappingBackend<Uint32Array>).wrap(memory, { shape: [1] });
}

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
