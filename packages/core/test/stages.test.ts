import { describe, expect, test } from "vitest";
import {
  adam,
  adamw,
  cautiousUpdate,
  cautiousWeightDecay,
  chain,
  clampWeights,
  clipByGlobalNorm,
  clipByNorm,
  createOptimizer,
  decoupledWeightDecay,
  ema,
  lookahead,
  sgd,
  stableUpdate,
  type ChainPart,
} from "../src/index.js";
import { oracle } from "../src/reference.js";
import { errorOf } from "./relative-error.js";
import { codeOf } from "./support.js";

/** One step of gradient descent with rate 0.5 on a tensor, in f64. */
async function afterStep(
  shape: readonly number[],
  p: readonly number[],
  g: readonly number[],
  ...parts: readonly ChainPart[]
): Promise<number[]> {
  const tensor = oracle().tensor(shape, p);
  createOptimizer(chain(...parts), { p: tensor }).step({ p: Float64Array.from(g) });
  return [...(await tensor.read())];
}

describe("the paper's formula of", () => {
  const p = [1, -2, 3, -4, 0, 1];
  const g = [1, -2, -3, 0, 5, 1e-30];
  const rate = 0.5;
  const descent = sgd({ learningRate: rate });

  test("clipping by the norm of each tensor", async () => {
    const backend = oracle();
    const [a, b] = [backend.tensor([2]), backend.tensor([1])];
    createOptimizer(chain(clipByNorm(2.5), descent), { a, b }).step({
      a: Float64Array.of(3, 4),
      b: Float64Array.of(2),
    });
    expect(errorOf(await a.read(), [-1.5 * rate, -2 * rate])).toBeLessThanOrEqual(1e-12);
    expect(errorOf(await b.read(), [-2 * rate])).toBeLessThanOrEqual(1e-12);
  });

  test("cautious updates", async () => {
    // Momentum turns the sign of two updates against their gradients.
    const optimizerOf = (...parts: readonly ChainPart[]) => {
      const tensor = oracle().tensor([6], p);
      const optimizer = createOptimizer(chain(...parts), { p: tensor });
      return { tensor, optimizer };
    };
    const momentum = sgd({ learningRate: rate, momentum: 0.9 });
    const { tensor, optimizer } = optimizerOf(momentum, cautiousUpdate());
    const second = [-0.5, -1, 2, 1, 1, 1e-30];
    let m = g.map((one) => one * rate);
    let expected = p.map((one, i) => one - m[i] * (m[i] * g[i] > 0 ? 1 / (5 / 6) : 0));
    optimizer.step({ p: Float64Array.from(g) });
    expect(errorOf(await tensor.read(), expected)).toBeLessThanOrEqual(1e-12);
    m = m.map((one, i) => one * 0.9 + second[i] * rate);
    const agrees = m.map((one, i) => (Math.sign(one) === Math.sign(second[i]) ? 1 : 0));
    expect(agrees).toEqual([0, 1, 0, 1, 1, 1]);
    expected = expected.map((one, i) => one - (m[i] * agrees[i]) / (4 / 6));
    optimizer.step({ p: Float64Array.from(second) });
    expect(errorOf(await tensor.read(), expected)).toBeLessThanOrEqual(1e-12);
  });

  test("cautious weight decay", async () => {
    const expected = p.map((one, i) => {
      const u = g[i];
      return one - rate * (u + 0.1 * (u * one >= 0 ? one : 0));
    });
    expect(
      errorOf(await afterStep([6], p, g, descent, cautiousWeightDecay(0.1)), expected),
    ).toBeLessThanOrEqual(1e-12);
  });

  test("decoupled weight decay, which is that of AdamW", async () => {
    const own = await afterStep([2, 3], p, g, adamw({ learningRate: rate, weightDecay: 0.1 }));
    const stage = decoupledWeightDecay(0.1);
    expect(
      errorOf(await afterStep([2, 3], p, g, adam({ learningRate: rate }), stage), own),
    ).toBeLessThanOrEqual(1e-12);
  });

  test("StableAdamW", async () => {
    const [beta1, beta2, epsilon, decay] = [0.9, 0.8, 0.01, 0.1];
    const spec = adam({ learningRate: 0.5, beta1, beta2, epsilon, epsilonMode: "paper" });
    const tensor = oracle().tensor([2, 3], p);
    const optimizer = createOptimizer(chain(spec, decoupledWeightDecay(decay), stableUpdate()), {
      p: tensor,
    });
    let [x, v, u] = [p, p.map(() => 0), p.map(() => 0)];
    const clipped: boolean[] = [];
    for (const [t, gradient] of [
      g,
      g.map((one) => one * 0.1),
      g.map((one) => -9 * one),
    ].entries()) {
      optimizer.step({ p: Float64Array.from(gradient) });
      const debiased = (beta: number): number => (beta * (1 - beta ** t)) / (1 - beta ** (t + 1));
      const [b1, b2] = [debiased(beta1), debiased(beta2)];
      v = v.map((one, i) => b1 * one + (1 - b1) * gradient[i]);
      u = u.map((one, i) => b2 * one + (1 - b2) * gradient[i] ** 2);
      const ratios = u.map((one, i) => gradient[i] ** 2 / Math.max(one, epsilon ** 2));
      const rms = Math.sqrt(ratios.reduce((sum, one) => sum + one) / 6);
      const rate = 0.5 / Math.max(1, rms);
      clipped.push(rms > 1);
      x = x.map((one, i) => one - rate * decay * one - (rate * v[i]) / (Math.sqrt(u[i]) + epsilon));
      expect(errorOf(await tensor.read(), x)).toBeLessThanOrEqual(1e-12);
    }
    expect(clipped).toEqual([false, false, true]);
  });

  test("clamped weights", async () => {
    const bounds = { minWeight: -1, maxWeight: 0.75 };
    const expected = p.map((one, i) => Math.min(0.75, Math.max(-1, one - rate * g[i])));
    expect(
      errorOf(await afterStep([6], p, g, descent, clampWeights(bounds)), expected),
    ).toBeLessThanOrEqual(1e-12);
  });

  test("clampWeights refuses a number: it has two bounds", () => {
    expect(codeOf(() => clampWeights(0.5))).toBe("UNKNOWN_OPTION");
  });

  test("the weights of lookahead to evaluate with are the slow ones", async () => {
    const tensor = oracle().tensor([1], [1]);
    const optimizer = createOptimizer(chain(descent, lookahead({ lookaheadSteps: 2 })), {
      p: tensor,
    });
    for (const one of [1, 1, 4]) optimizer.step({ p: Float64Array.of(one) });
    expect([...(await tensor.read())]).toEqual([0.5 - 2]);
    optimizer.swap();
    expect([...(await tensor.read())]).toEqual([0.5]);
  });

  test("the average of a parameter that is added later, which begins with its values", async () => {
    const backend = oracle();
    const [a, b] = [backend.tensor([1]), backend.tensor([1], [8])];
    const optimizer = createOptimizer(chain(descent, ema(0.75)), { a });
    optimizer.step({ a: Float64Array.of(0) });
    optimizer.add({ b }).step({ b: Float64Array.of(8) });
    expect([...(await optimizer.state()).slots.b.ema]).toEqual([8 * 0.75 + 4 * 0.25]);
  });
});

describe("a gradient that is not a number", () => {
  test.each([clipByGlobalNorm(1), clipByNorm(1)])(
    "is not used unclipped ($stage.name)",
    async (clip) => {
      const [, b] = await afterStep([2], [0, 0], [Number.NaN, 1e6], clip, sgd());
      expect(b).toBeNaN();
    },
  );
});
