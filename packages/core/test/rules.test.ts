// Each rule against its paper's formulas in f64: one parameter, a few steps.
import { describe, expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { oracle, reference } from "../src/reference.js";
import { adagrad } from "../src/rules/adagrad.js";
import { adam } from "../src/rules/adam.js";
import { adamax } from "../src/rules/adamax.js";
import { adamw } from "../src/rules/adamw.js";
import * as factories from "../src/rules/factories.js";
import { ftrl } from "../src/rules/ftrl.js";
import { lion } from "../src/rules/lion.js";
import { nadam } from "../src/rules/nadam.js";
import { lamb } from "../src/rules/lamb.js";
import { prodigy } from "../src/rules/prodigy.js";
import { radam } from "../src/rules/radam.js";
import { rmsprop } from "../src/rules/rmsprop.js";
import { scheduleFreeSgd } from "../src/rules/schedule-free-sgd.js";
import { sgd } from "../src/rules/sgd.js";
import type { OptimizerSpec } from "../src/rule/rule.js";

const start = 0.7;
const gradients = [0.3, -0.2, 0.5];

/** The parameter after each step. */
function run(spec: OptimizerSpec, given: readonly number[] = gradients): number[] {
  const values = Float64Array.of(start);
  const optimizer = createOptimizer(spec, { w: oracle().wrap(values) });
  return given.map((gradient) => {
    optimizer.step({ w: Float64Array.of(gradient) });
    return values[0];
  });
}

/** The parameter after each step of an update p ← update(p, g, t). */
function expected(update: (p: number, g: number, t: number) => number): number[] {
  let p = start;
  return gradients.map((g, i) => {
    p = update(p, g, i + 1);
    return p;
  });
}

/** Matches these numbers up to the rounding of f64. */
function near(wanted: readonly number[]): readonly unknown[] {
  return wanted.map((value): unknown => expect.closeTo(value, 13));
}

describe("sgd", () => {
  test("descends", () => {
    expect(run(sgd({ learningRate: 0.1 }))).toEqual(near(expected((p, g) => p - 0.1 * g)));
  });

  test("with momentum, and the rate inside the velocity", () => {
    let velocity = 0;
    const wanted = expected((p, g) => {
      velocity = 0.9 * velocity - 0.1 * g;
      return p + velocity;
    });
    expect(run(sgd({ learningRate: 0.1, momentum: 0.9 }))).toEqual(near(wanted));
    expect(run(sgd({ learningRate: 0.1, momentum: 0.9, momentumForm: "torch" }))).toEqual(
      near(wanted),
    );
  });

  test("with Nesterov's momentum", () => {
    let velocity = 0;
    const wanted = expected((p, g) => {
      velocity = 0.9 * velocity - 0.1 * g;
      return p + 0.9 * velocity - 0.1 * g;
    });
    const settings = { learningRate: 0.1, momentum: 0.9, nesterov: true } as const;
    expect(run(sgd(settings))).toEqual(near(wanted));
    expect(run(sgd({ ...settings, momentumForm: "torch" }))).toEqual(near(wanted));
  });

  test("with dampening from the second step on, in PyTorch's form", () => {
    let buffer = 0;
    const wanted = expected((p, g, t) => {
      buffer = t === 1 ? g : 0.9 * buffer + (1 - 0.25) * g;
      return p - 0.1 * buffer;
    });
    const settings = { learningRate: 0.1, momentum: 0.9, dampening: 0.25 } as const;
    expect(run(sgd({ ...settings, momentumForm: "torch" }))).toEqual(near(wanted));
  });

  test("PyTorch's dampening has no effect if the momentum is 0", () => {
    const plain = Float64Array.of(0);
    const damped = Float64Array.of(0);
    const settings = { learningRate: 1, dampening: 0.5, momentumForm: "torch" } as const;
    const backend = oracle();
    const optimizer = createOptimizer(
      sgd(settings),
      { plain: backend.wrap(plain), damped: backend.wrap(damped) },
      { groups: [{ match: "damped", momentum: 0.5 }] },
    );
    const seen: number[][] = [];
    for (let i = 0; i < 3; i += 1) {
      optimizer.step({ plain: Float64Array.of(1), damped: Float64Array.of(1) });
      seen.push([plain[0], damped[0]]);
    }
    expect(seen).toEqual([
      [-1, -1],
      [-2, -2],
      [-3, -3],
    ]);
    optimizer.groups[0].momentum = 0;
    optimizer.step({ damped: Float64Array.of(4) });
    expect(damped[0]).toBe(-7);
  });

  test("the forms of momentum differ when the rate changes", () => {
    const after = (momentumForm: "keras" | "torch"): number => {
      const values = Float64Array.of(start);
      const spec = sgd({ learningRate: 0.1, momentum: 0.9, momentumForm });
      const optimizer = createOptimizer(spec, { w: oracle().wrap(values) });
      optimizer.step({ w: Float64Array.of(0.3) });
      optimizer.learningRate = 0.01;
      optimizer.step({ w: Float64Array.of(-0.2) });
      return values[0];
    };
    const first = start - 0.1 * 0.3;
    expect([after("keras")]).toEqual(near([first + 0.9 * (-0.1 * 0.3) - 0.01 * -0.2]));
    expect([after("torch")]).toEqual(near([first - 0.01 * (0.9 * 0.3 - 0.2)]));
  });
});

describe("adagrad", () => {
  test("accumulates squares, with ε inside the root", () => {
    let a = 0.1;
    const wanted = expected((p, g) => {
      a += g * g;
      return p - (0.2 * g) / Math.sqrt(a + 1e-3);
    });
    expect(run(adagrad({ learningRate: 0.2, epsilon: 1e-3 }))).toEqual(near(wanted));
  });

  test("with ε outside, another first value and a decaying rate", () => {
    let a = 0.5;
    const wanted = expected((p, g, t) => {
      a += g * g;
      return p - ((0.2 / (1 + (t - 1) * 0.3)) * g) / (Math.sqrt(a) + 1e-3);
    });
    const settings = { learningRate: 0.2, epsilon: 1e-3, learningRateDecay: 0.3 };
    expect(
      run(adagrad({ ...settings, initialAccumulatorValue: 0.5, epsilonMode: "outside" })),
    ).toEqual(near(wanted));
  });
});

describe("rmsprop", () => {
  const common = { learningRate: 0.1, rho: 0.8, epsilon: 1e-3 };

  test.each([
    ["inside", (v: number): number => Math.sqrt(v + 1e-3)],
    ["outside", (v: number): number => Math.sqrt(v) + 1e-3],
    ["subtracted", (v: number): number => Math.sqrt(v - 1e-3)],
  ] as const)("ε %s", (epsilonMode, root) => {
    let v = 0;
    const wanted = expected((p, g) => {
      v = 0.8 * v + 0.2 * g * g;
      return p - (0.1 * g) / root(v);
    });
    expect(run(rmsprop({ ...common, epsilonMode }))).toEqual(near(wanted));
  });

  test("centered", () => {
    let v = 0;
    let a = 0;
    const wanted = expected((p, g) => {
      v = 0.8 * v + 0.2 * g * g;
      a = 0.8 * a + 0.2 * g;
      return p - (0.1 * g) / Math.sqrt(v - a * a + 1e-3);
    });
    expect(run(rmsprop({ ...common, centered: true }))).toEqual(near(wanted));
  });

  test("with momentum, in both forms", () => {
    let v = 0;
    let velocity = 0;
    const wanted = expected((p, g) => {
      v = 0.8 * v + 0.2 * g * g;
      velocity = 0.5 * velocity + (0.1 * g) / Math.sqrt(v + 1e-3);
      return p - velocity;
    });
    expect(run(rmsprop({ ...common, momentum: 0.5 }))).toEqual(near(wanted));
    expect(run(rmsprop({ ...common, momentum: 0.5, momentumForm: "torch" }))).toEqual(near(wanted));
  });
});

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

describe("lion", () => {
  test("Algorithm 2", () => {
    let m = 0;
    const wanted = expected((p, g) => {
      const direction = Math.sign(0.8 * m + 0.2 * g);
      m = 0.95 * m + 0.05 * g;
      return p - 0.1 * direction;
    });
    expect(run(lion({ learningRate: 0.1, beta1: 0.8, beta2: 0.95 }))).toEqual(near(wanted));
  });
});

describe("ftrl", () => {
  test("Algorithm 1: the parameter is the minimum of the linearized losses", () => {
    let [n, z] = [0.1, 0];
    const wanted = expected((p, g) => {
      const sigma = (Math.sqrt(n + g * g) - Math.sqrt(n)) / 0.5;
      n += g * g;
      z += g - sigma * p;
      return Math.abs(z) <= 0.2
        ? 0
        : -(z - Math.sign(z) * 0.2) / ((0.3 + Math.sqrt(n)) / 0.5 + 2 * 0.4);
    });
    const settings = { learningRate: 0.5, beta: 0.3 } as const;
    const regularization = {
      l1RegularizationStrength: 0.2,
      l2RegularizationStrength: 0.4,
    } as const;
    expect(run(ftrl({ ...settings, ...regularization }))).toEqual(near(wanted));
    expect(wanted).toContain(0);
    expect(wanted.some((value) => value !== 0)).toBe(true);
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
const everyRule = Object.entries(factories).filter(([name]) => name !== "ftrl");

describe("weight decay of a rule's own", () => {
  test("lamb's update has the norm of the tensor with any decay", () => {
    const settings = { learningRate: 0.1, weightDecay: 0.5, weightDecayMode: "update" } as const;
    const [first] = run(lamb(settings));
    expect(Math.abs(start - first)).toBeCloseTo(0.1 * start, 13);
  });

  test("prodigy's distance grows while gradients keep their direction", async () => {
    const w = Float64Array.of(start);
    const optimizer = createOptimizer(prodigy({ d0: 0.01 }), { w: oracle().wrap(w) });
    const found: number[] = [];
    for (let t = 0; t < 8; t += 1) {
      optimizer.step({ w: Float64Array.of(1) });
      found.push((await optimizer.metrics()).distance as number);
    }
    expect(found[0]).toBe(0.01);
    expect(found.at(-1)).toBe((await optimizer.state()).slots.w.d[0]);
    expect(found).toEqual([...found].sort((a, b) => a - b));
    expect(found.at(-1)).toBeGreaterThan(0.02);
  });

  test("prodigy decays by d times the rate", () => {
    const settings = { learningRate: 0.5, d0: 0.25, epsilon: 1 } as const;
    const [plain] = run(prodigy(settings));
    const [decayed] = run(prodigy({ ...settings, weightDecay: 0.2 }));
    expect(plain - decayed).toBeCloseTo(0.25 * 0.5 * 0.2 * start, 13);
  });

  test("maximize negates the gradients", () => {
    const settings = { weightDecay: 0.5, weightDecayMode: "update" } as const;
    const negated = gradients.map((gradient) => -gradient);
    expect(run(lamb({ ...settings, maximize: true }))).toEqual(run(lamb(settings), negated));
  });
});

describe("schedule-free sgd", () => {
  test("the weights to evaluate with are the average of all z", async () => {
    const w = Float64Array.of(start);
    const optimizer = createOptimizer(scheduleFreeSgd({ learningRate: 0.1, beta1: 0.8 }), {
      w: oracle().wrap(w),
    });
    let [z, sum] = [start, 0];
    for (const [i, gradient] of gradients.entries()) {
      optimizer.step({ w: Float64Array.of(gradient) });
      z -= 0.1 * gradient;
      sum += z;
      expect((await optimizer.state()).slots.w.z[0]).toBeCloseTo(z, 13);
      const trained = w[0];
      optimizer.swap();
      expect(w[0]).toBeCloseTo(sum / (i + 1), 13);
      optimizer.swap();
      expect(w[0]).toBe(trained);
    }
  });
});

/** The updates of the others depend on the parameter. */
const independent = everyRule.filter(
  ([name]) => !/^(adafactor|lamb|lars|prodigy|scheduleFree)/.test(name),
);

test.each(independent)(
  "%s: decoupled decay shrinks the parameter by lr·wd before the update",
  (_, factory) => {
    const rule = factory as (settings: Readonly<Record<string, unknown>>) => OptimizerSpec;
    const settings = { learningRate: 0.1, weightDecay: 0 };
    const plain = run(rule(settings));
    const decayed = run(rule({ ...settings, weightDecay: 0.2 }));
    // The gradients do not depend on the parameter: each step shrinks what was there and then moves as without decay.
    let p = start;
    const wanted = plain.map((value, i) => {
      p = p * (1 - 0.1 * 0.2) + (value - (plain[i - 1] ?? start));
      return p;
    });
    expect(decayed).toEqual(near(wanted));
  },
);

describe.each(everyRule)("%s, as every rule", (_, factory) => {
  const rule = factory as (settings: Readonly<Record<string, unknown>>) => OptimizerSpec;
  const settings = { learningRate: 0.1, weightDecay: 0 };

  test("l2 decay adds wd·p to the gradient", () => {
    const values = Float64Array.of(start);
    const optimizer = createOptimizer(rule(settings), { w: oracle().wrap(values) });
    const wanted = gradients.map((gradient) => {
      optimizer.step({ w: Float64Array.of(gradient + 0.2 * values[0]) });
      return values[0];
    });
    const got = run(rule({ ...settings, weightDecay: 0.2, weightDecayMode: "l2" }));
    expect(got).toEqual(near(wanted));
  });

  test("maximize negates the gradients", () => {
    const negated = gradients.map((gradient) => -gradient);
    expect(run(rule({ ...settings, maximize: true }))).toEqual(run(rule(settings), negated));
  });

  test("a rate of 0 moves nothing", () => {
    expect(run(rule({ learningRate: 0 }))).toEqual([start, start, start]);
  });
});
