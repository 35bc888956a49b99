// Each rule against its paper's formulas in f64: one parameter, a few steps.
import { describe, expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { adamax } from "../src/rules/adamax.js";
import { adamw } from "../src/rules/adamw.js";
import { nadam } from "../src/rules/nadam.js";
import { radam } from "../src/rules/radam.js";
import { expected, near, run } from "./one-value.js";

describe("adam", () => {
  const common = { learningRate: 0.1, beta1: 0.8, beta2: 0.95, epsilon: 1e-2 };

  /** Kingma & Ba's Algorithm 1, with a function for the update from both averages. */
  function moments(
    update: (p: number, averages: { m: number; v: number; g: number; t: number }) => number,
  ): number[] {
    let m = 0;
    let v = 0;
    return expected((p, g, t) => {
      m = 0.8 * m + (1 - 0.8) * g;
      v = 0.95 * v + (1 - 0.95) * g * g;
      return update(p, { m, v, g, t });
    });
  }

  test("Algorithm 1", () => {
    const wanted = moments(
      (p, { m, v, t }) =>
        p - (0.1 * (m / (1 - 0.8 ** t))) / (Math.sqrt(v / (1 - 0.95 ** t)) + 1e-2),
    );
    expect(run(adam({ ...common, epsilonMode: "paper" }))).toEqual(near(wanted));
  });

  test("Keras's form, with ε before the correction", () => {
    const wanted = moments(
      (p, { m, v, t }) =>
        p - (0.1 * (Math.sqrt(1 - 0.95 ** t) / (1 - 0.8 ** t)) * m) / (Math.sqrt(v) + 1e-2),
    );
    expect(run(adam(common))).toEqual(near(wanted));
  });

  test("AMSGrad of the raw average", () => {
    let most = 0;
    const wanted = moments((p, { m, v, t }) => {
      most = Math.max(most, v);
      const rate = (0.1 * Math.sqrt(1 - 0.95 ** t)) / (1 - 0.8 ** t);
      return p - (rate * m) / (Math.sqrt(most) + 1e-2);
    });
    expect(run(adam({ ...common, amsgrad: true }))).toEqual(near(wanted));
  });

  test("AMSGrad of the corrected average", () => {
    let most = 0;
    const wanted = moments((p, { m, v, t }) => {
      most = Math.max(most, v / (1 - 0.95 ** t));
      return p - (0.1 * (m / (1 - 0.8 ** t))) / (Math.sqrt(most) + 1e-2);
    });
    const settings = { ...common, amsgrad: true, epsilonMode: "paper" } as const;
    expect(run(adam({ ...settings, amsgradOf: "corrected" }))).toEqual(near(wanted));
  });

  test("without bias correction", () => {
    const wanted = moments((p, { m, v }) => p - (0.1 * m) / (Math.sqrt(v) + 1e-2));
    const uncorrected = { ...common, biasCorrection: false } as const;
    expect(run(adam(uncorrected))).toEqual(near(wanted));
    expect(run(adam({ ...uncorrected, epsilonMode: "paper" }))).toEqual(near(wanted));
    const nesterov = moments(
      (p, { m, v, g }) => p - (0.1 * (0.8 * m + (1 - 0.8) * g)) / (Math.sqrt(v) + 1e-2),
    );
    expect(run(adam({ ...uncorrected, nesterov: true }))).toEqual(near(nesterov));
  });

  test("the two maxima differ", () => {
    const settings = { ...common, amsgrad: true, epsilonMode: "paper" } as const;
    const one = run(adam({ ...settings, amsgradOf: "corrected" }));
    expect(one[2]).not.toBeCloseTo(run(adam(settings))[2], 4);
  });

  test("with Nesterov's momentum, in Optax's form", () => {
    const wanted = moments((p, { m, v, g, t }) => {
      const ahead = (0.8 * m) / (1 - 0.8 ** (t + 1)) + ((1 - 0.8) * g) / (1 - 0.8 ** t);
      return p - (0.1 * ahead) / (Math.sqrt(v / (1 - 0.95 ** t)) + 1e-2);
    });
    expect(run(adam({ ...common, nesterov: true, epsilonMode: "paper" }))).toEqual(near(wanted));
  });

  test("with a second ε, under the root", () => {
    const wanted = moments(
      (p, { m, v, t }) =>
        p - (0.1 * (m / (1 - 0.8 ** t))) / (Math.sqrt(v / (1 - 0.95 ** t) + 0.04) + 1e-2),
    );
    expect(run(adam({ ...common, epsilonRoot: 0.04, epsilonMode: "paper" }))).toEqual(near(wanted));
  });

  test("without averages it is the sign of the gradient", () => {
    const settings = { learningRate: 0.1, beta1: 0, beta2: 0, epsilon: 0 };
    expect(run(adam(settings))).toEqual(near(expected((p, g) => p - 0.1 * Math.sign(g))));
  });
});

describe("the average of squares, where the square of a gradient overflows", () => {
  // 2⁶⁴ squared is the first power of 2 beyond the range of f32.
  const [big, weight] = [2 ** 64, 2 ** -24];
  test.each([
    ["difference", [Infinity, Number.NaN]],
    ["sum", [big * big * weight, Math.fround(big * big * weight * (1 - weight))]],
    ["sum-of-squares", [Infinity, Infinity]],
  ] as const)("%s", async (averageForm, wanted) => {
    const spec = adam({ averageForm, beta2: 1 - weight });
    const optimizer = createOptimizer(spec, { w: reference().tensor([1]) });
    const averages: number[] = [];
    for (const gradient of [big, 0]) {
      optimizer.step({ w: Float32Array.of(gradient) });
      const { slots } = await optimizer.state();
      averages.push(slots.w.v[0]);
    }
    expect(averages).toEqual(wanted);
  });
});

describe("adamw", () => {
  test("is adam with another default", () => {
    const settings = { learningRate: 0.1 };
    expect(run(adamw(settings))).toEqual(run(adam({ ...settings, weightDecay: 0.004 })));
    expect(run(adamw({ ...settings, weightDecay: 0 }))).toEqual(run(adam(settings)));
  });
});

describe("adamax", () => {
  test.each([
    ["outside", (u: number, g: number): number => Math.max(0.95 * u, Math.abs(g)), 0.01],
    ["inside", (u: number, g: number): number => Math.max(0.95 * u, Math.abs(g) + 0.01), 0],
  ] as const)("Algorithm 2, ε %s", (epsilonMode, norm, added) => {
    let m = 0;
    let u = 0;
    const wanted = expected((p, g, t) => {
      m = 0.8 * m + 0.2 * g;
      u = norm(u, g);
      return p - ((0.1 / (1 + (t - 1) * 0.3) / (1 - 0.8 ** t)) * m) / (u + added);
    });
    const settings = { learningRate: 0.1, beta1: 0.8, beta2: 0.95, epsilon: 0.01 };
    expect(run(adamax({ ...settings, learningRateDecay: 0.3, epsilonMode }))).toEqual(near(wanted));
  });
});

describe("nadam", () => {
  test.each([1, 0.004])("with its schedule of momenta, decay %f", (momentumDecay) => {
    const mu = (t: number): number => 0.8 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
    let m = 0;
    let v = 0;
    let product = 1;
    const wanted = expected((p, g, t) => {
      m = 0.8 * m + 0.2 * g;
      v = 0.95 * v + 0.05 * g * g;
      product *= mu(t);
      const ahead = (mu(t + 1) * m) / (1 - product * mu(t + 1)) + ((1 - mu(t)) * g) / (1 - product);
      return p - (0.1 * ahead) / (Math.sqrt(v / (1 - 0.95 ** t)) + 0.01);
    });
    const settings = { learningRate: 0.1, beta1: 0.8, beta2: 0.95, epsilon: 0.01, momentumDecay };
    expect(run(nadam(settings))).toEqual(near(wanted));
  });

  test("PyTorch's product is held in f32", () => {
    const one = run(nadam({ learningRate: 0.1 }));
    const other = run(nadam({ learningRate: 0.1, productIn: "f32" }));
    expect(one).not.toEqual(other);
    expect(Math.abs(one[2] - other[2])).toBeLessThan(1e-7);
  });
});

describe("radam", () => {
  test("is not adaptive until the average of squares is long enough", () => {
    let m = 0;
    const wanted = expected((p, g, t) => {
      m = 0.9 * m + 0.1 * g;
      return p - (0.1 * m) / (1 - 0.9 ** t);
    });
    expect(run(radam({ learningRate: 0.1 }))).toEqual(near(wanted));
    // Such an average never gets there.
    expect(run(radam({ learningRate: 0.1, beta2: 0.5, threshold: 0 }))).toEqual(near(wanted));
  });
});

/** FTRL computes the parameter instead of moving it. */
