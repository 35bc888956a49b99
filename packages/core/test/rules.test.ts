// Each rule against its paper's formulas in f64: one parameter, a few steps.
import { describe, expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { oracle } from "../src/reference.js";
import { adagrad } from "../src/rules/adagrad.js";
import { ftrl } from "../src/rules/ftrl.js";
import { lion } from "../src/rules/lion.js";
import { lamb } from "../src/rules/lamb.js";
import { prodigy } from "../src/rules/prodigy.js";
import { rmsprop } from "../src/rules/rmsprop.js";
import { scheduleFreeAdamw } from "../src/rules/schedule-free-adamw.js";
import { scheduleFreeSgd } from "../src/rules/schedule-free-sgd.js";
import { sgd } from "../src/rules/sgd.js";
import { expected, gradients, near, run, start } from "./one-value.js";

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

describe("schedule-free adamw", () => {
  test.each([
    { warmupSteps: 0, weightLearningRatePower: 0 },
    { warmupSteps: 3, weightLearningRatePower: 2 },
  ])("with weight decay in the update of z, as its authors define it: %o", async (rest) => {
    const [rate, beta1, beta2, epsilon, weightDecay] = [0.1, 0.8, 0.9, 1e-3, 0.5];
    const own = { learningRate: rate, beta1, beta2, epsilon, weightDecay, ...rest };
    const w = Float64Array.of(start);
    const optimizer = createOptimizer(scheduleFreeAdamw({ ...own, weightDecayMode: "update" }), {
      w: oracle().wrap(w),
    });
    let [x, y, z, v, sum] = [start, start, start, 0, 0];
    for (const [i, g] of gradients.entries()) {
      const t = i + 1;
      const now = rate * Math.min(1, rest.warmupSteps === 0 ? 1 : t / rest.warmupSteps);
      v = beta2 * v + (1 - beta2) * g * g;
      z -= now * (g / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon) + weightDecay * y);
      const weight = now ** rest.weightLearningRatePower;
      sum += weight;
      x += (z - x) * (weight / sum);
      y = (1 - beta1) * z + beta1 * x;
      optimizer.step({ w: Float64Array.of(g) });
      expect(w[0]).toBeCloseTo(y, 13);
      expect((await optimizer.state()).slots.w.z[0]).toBeCloseTo(z, 13);
    }
  });
});
