// First, so that its engine and its tensors are those of all tests in this process.
import "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js";
import { adamw, chain, clipByGlobalNorm, cosineDecay, ema, sgd, warmup } from "@gradstep/core";
import { CustomCallback, EarlyStopping } from "@tensorflow/tfjs-layers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { averagedWeights, GradstepOptimizer, tfOptimizer } from "../src/index.js";
import { backends, classifier, codeOf, numbers, samples, tf, variable } from "./support.js";

describe.each(backends)("on TF.js's %s backend", (name) => {
  beforeEach(async () => {
    await tf.setBackend(name);
    await tf.ready();
  });
  afterEach(() => {
    tf.disposeVariables();
  });

  test("accumulate: the step of three calls is that of their mean", () => {
    const [one, other] = [variable(numbers(6, 1), [2, 3]), variable(numbers(6, 1), [2, 3])];
    const whole = tfOptimizer(adamw({ learningRate: 0.1 }));
    const parts = tfOptimizer(adamw({ learningRate: 0.1 }), { accumulate: 3 });
    for (let step = 0; step < 3; step += 1) {
      const calls = [1, 2, 3].map((i) => tf.tensor(numbers(6, 10 * step + i), [2, 3]));
      for (const [i, gradient] of calls.entries()) {
        expect(parts.microSteps).toBe(i);
        parts.applyGradients({ [one.name]: gradient });
      }
      const mean = tf.tidy(() => calls[0].add(calls[1]).add(calls[2]).div(3));
      whole.applyGradients({ [other.name]: mean });
      expect(one.dataSync()).toEqual(other.dataSync());
      tf.dispose([...calls, mean]);
    }
    expect(parts.iterations).toBe(3);
  });

  test("minimize multiplies the loss by the scale, and returns the loss", () => {
    const [one, other] = [variable([1, 2], [2]), variable([1, 2], [2])];
    const loss = (w: tf.Variable): tf.Scalar => w.square().sum();
    const scaled = tfOptimizer(sgd({ learningRate: 0.125 }), { lossScale: "dynamic" });
    const plain = tfOptimizer(sgd({ learningRate: 0.125 }));
    for (let step = 0; step < 4; step += 1) {
      const costs = [
        scaled.minimize(() => loss(one), true, [one])!,
        plain.minimize(() => loss(other), true, [other])!,
      ].map((cost) => cost.dataSync()[0]);
      expect(costs[0]).toBe(costs[1]);
      expect(one.dataSync()).toEqual(other.dataSync());
    }
    const before = one.dataSync().slice();
    scaled.minimize(() => loss(one).mul(1e37).mul(10), false, [one]);
    expect(one.dataSync()).toEqual(before);
    expect([scaled.lossScale, scaled.skippedSteps, scaled.iterations]).toEqual([2 ** 14, 1, 4]);
  });

  test("fit skips a batch that overflows, and goes on", async () => {
    const model = classifier();
    const optimizer = tfOptimizer(adamw(), { lossScale: { initial: 2 ** 120 } });
    model.compile({ optimizer, loss: "categoricalCrossentropy" });
    const { x, y } = samples();
    await model.fit(x, y, { batchSize: 8, epochs: 2, verbose: 0 });
    expect(optimizer.iterations + optimizer.skippedSteps).toBe(16);
    for (const weight of model.getWeights())
      expect([...weight.dataSync()].every(Number.isFinite)).toBe(true);
  });

  test("swap puts the averaged weights into the variables, and back", async () => {
    const w = variable([1, 2], [2]);
    const optimizer = tfOptimizer(chain(sgd({ learningRate: 1 }), ema(0.5)));
    for (const g of [1, 2]) optimizer.applyGradients({ [w.name]: tf.tensor([g, g]) });
    const trained = w.dataSync().slice();
    const before = tf.memory().numTensors;
    optimizer.swap();
    // The first step copies the weights: 0 and 1; then 0.5 · (0, 1) + 0.5 · (−2, −1).
    expect([...w.dataSync()]).toEqual([-1, 0]);
    expect(optimizer.isSwapped).toBe(true);
    expect(await codeOf(() => optimizer.applyGradients({ [w.name]: tf.tensor([1, 1]) }))).toBe(
      "SWAPPED",
    );
    optimizer.swap();
    expect(w.dataSync()).toEqual(trained);
    expect(tf.memory().numTensors).toBe(before + 1);
    optimizer.applyGradients({ [w.name]: tf.tensor([1, 1]) });
    expect([...w.dataSync()]).toEqual([-3, -2]);
    expect(await codeOf(() => tfOptimizer(sgd()).swap())).toBe("UNSUPPORTED");
  });

  test("a callback of fit gives the end of each epoch the averaged weights", async () => {
    const model = classifier();
    const optimizer = tfOptimizer(chain(adamw({ learningRate: 0.05 }), ema(0.9)));
    model.compile({ optimizer, loss: "categoricalCrossentropy" });
    const { x, y } = samples();
    const seen: boolean[] = [];
    const callbacks = averagedWeights(optimizer);
    await model.fit(x, y, {
      epochs: 3,
      verbose: 0,
      callbacks: {
        ...callbacks,
        onEpochEnd: () => {
          callbacks.onEpochEnd();
          seen.push(optimizer.isSwapped);
        },
      },
    });
    expect(seen).toEqual([true, true, true]);
    // The trained weights are back, so that training can go on.
    expect(optimizer.isSwapped).toBe(false);
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    expect(optimizer.iterations).toBe(8);
  });

  test("averagedWeights works beside TF.js's early stopping, as a callback of TF.js's class", async () => {
    const model = classifier();
    const optimizer = tfOptimizer(chain(adamw({ learningRate: 0.05 }), ema(0.9)));
    model.compile({ optimizer, loss: "categoricalCrossentropy" });
    const { x, y } = samples();
    const seen: boolean[] = [];
    const stopping = new EarlyStopping({ monitor: "loss", mode: "max", patience: 1 });
    const onEpochEnd = async (): Promise<void> => {
      seen.push(optimizer.isSwapped);
    };
    const callbacks = [
      stopping,
      new CustomCallback(averagedWeights(optimizer)),
      new CustomCallback({ onEpochEnd }),
    ];
    await model.fit(x, y, { epochs: 9, verbose: 0, callbacks });
    // The loss falls, which a maximum does not: the second epoch is the last.
    expect(seen).toEqual([true, true]);
    expect(optimizer.isSwapped).toBe(false);
  });

  test("metrics gives the global norm without a read-back in the step", async () => {
    const w = variable([1, 2], [2]);
    const optimizer = tfOptimizer(chain(clipByGlobalNorm(1), sgd({ learningRate: 1 })));
    const gradient = tf.tensor([3, 4]);
    optimizer.applyGradients({ [w.name]: gradient });
    expect((await optimizer.metrics()).globalNorm).toBe(5);
  });
});

test("options of calls and steps are part of the configuration", () => {
  const optimizer = tfOptimizer(sgd(), { accumulate: 2, lossScale: 8 });
  const config = JSON.parse(JSON.stringify(optimizer.getConfig())) as ReturnType<
    GradstepOptimizer["getConfig"]
  >;
  expect(config).toMatchObject({ control: { accumulate: 2, lossScale: 8 } });
  const loaded = GradstepOptimizer.fromConfig<GradstepOptimizer>(GradstepOptimizer, config);
  expect(loaded.lossScale).toBe(8);
  expect(loaded.getConfig()).toEqual(optimizer.getConfig());
});

/** A language model in miniature: an embedding, two projections and their biases, and a norm's weights. */
const shapes = {
  embedding: [20, 8],
  up: [8, 16],
  upBias: [16],
  down: [16, 20],
  downBias: [20],
  norm: [8],
};

function makeModel(): { variables: tf.Variable[]; loss: (tokens: readonly number[]) => tf.Scalar } {
  const variables = Object.entries(shapes).map(([name, shape], i) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const values = numbers(size, i + 1).map((value) => (name === "norm" ? 1 : value * 0.3));
    return variable(values, shape);
  });
  const [embedding, up, upBias, down, downBias, norm] = variables;
  const loss = (tokens: readonly number[]): tf.Scalar =>
    tf.tidy(() => {
      const hot = (part: readonly number[]): tf.Tensor2D =>
        tf.cast<tf.Tensor2D>(
          tf.oneHot(tf.tensor1d([...part], "int32"), 20) as tf.Tensor2D,
          "float32",
        );
      const labels = hot(tokens.slice(1));
      const x = hot(tokens.slice(0, -1)).matMul<tf.Tensor2D>(embedding).mul<tf.Tensor2D>(norm);
      const hidden = x
        .matMul<tf.Tensor2D>(up as tf.Tensor2D)
        .add<tf.Tensor2D>(upBias)
        .relu();
      const logits = hidden.matMul<tf.Tensor2D>(down).add<tf.Tensor2D>(downBias);
      return tf
        .logSoftmax(logits)
        .mul(labels)
        .sum()
        .neg()
        .div<tf.Scalar>(tokens.length - 1);
    });
  return { variables, loss };
}

/** As people write it with TF.js's operations. */
function handWritten(variables: readonly tf.Variable[], peak: number, warm: number, total: number) {
  const [beta1, beta2, epsilon, decay, maxNorm, scale] = [0.9, 0.95, 1e-8, 0.1, 0.25, 1024];
  const moments = variables.map((one) => [
    tf.variable(tf.zerosLike(one), false),
    tf.variable(tf.zerosLike(one), false),
  ]);
  let t = 0;
  return (loss: () => tf.Scalar): tf.Scalar =>
    tf.tidy(() => {
      const step = t;
      t += 1;
      const rate =
        step < warm
          ? (peak * step) / warm
          : peak * 0.5 * (1 + Math.cos((Math.PI * Math.min(step - warm, total)) / total));
      const { value, grads } = tf.variableGrads(() => loss().mul(scale), [...variables]);
      const gradients = variables.map(({ name }) => grads[name].div(scale));
      const norm = tf.addN(gradients.map((g) => g.square().sum())).sqrt();
      const factor = tf.minimum(1, tf.div(maxNorm, norm));
      variables.forEach((w, i) => {
        const g = gradients[i].mul(factor);
        const [m, v] = moments[i];
        m.assign(m.mul(beta1).add(g.mul(1 - beta1)));
        v.assign(v.mul(beta2).add(g.square().mul(1 - beta2)));
        const corrected = m.div(1 - beta1 ** t);
        const root = v
          .div(1 - beta2 ** t)
          .sqrt()
          .add(epsilon);
        const decayed = w.rank >= 2 ? w.mul(1 - rate * decay) : w;
        w.assign(decayed.sub(corrected.div(root).mul(rate)));
      });
      return value.div(scale);
    });
}

test.each(backends)(
  "a language model's optimizer as it is written by hand, on %s",
  async (name) => {
    await tf.setBackend(name);
    const [ours, theirs] = [makeModel(), makeModel()];
    const optimizer = tfOptimizer(
      chain(
        clipByGlobalNorm(0.25),
        adamw({
          learningRate: warmup(20, cosineDecay(0.01, 180)),
          beta2: 0.95,
          weightDecay: 0.1,
          epsilon: 1e-8,
          epsilonMode: "paper",
        }),
      ),
      { groups: [{ match: ({ shape }) => shape.length < 2, weightDecay: 0 }], lossScale: 1024 },
    );
    const step = handWritten(theirs.variables, 0.01, 20, 180);
    const sync = vi.spyOn(tf.backend(), "readSync");
    const apply = optimizer.applyGradients.bind(optimizer);
    const readBacks: number[] = [];
    // On the cpu backend, values are in JavaScript's own memory.
    const reads = (): number => (name === "cpu" ? 0 : sync.mock.calls.length);
    vi.spyOn(optimizer, "applyGradients").mockImplementation((gradients) => {
      const before = reads();
      apply(gradients);
      readBacks.push(reads() - before);
    });
    for (let i = 0; i < 200; i += 1) {
      const tokens = [...numbers(17, i)].map((x) => Math.floor((x + 1) * 9.99));
      const cost = optimizer.minimize(() => ours.loss(tokens), true, ours.variables)!;
      const expected = step(() => theirs.loss(tokens));
      expect(cost.dataSync()[0]).toBeCloseTo(expected.dataSync()[0], 5);
      tf.dispose([cost, expected]);
    }
    expect(readBacks).toEqual(Array(200).fill(0));
    vi.restoreAllMocks();
    ours.variables.forEach((w, i) => {
      const expected = theirs.variables[i].dataSync();
      const largest = Math.max(...expected.map(Math.abs));
      w.dataSync().forEach((value, k) => {
        expect(Math.abs(value - expected[k])).toBeLessThanOrEqual(1e-6 * Math.max(1, largest));
      });
    });
    expect((await optimizer.metrics()).globalNorm).toBeGreaterThan(0);
    tf.disposeVariables();
  },
);
