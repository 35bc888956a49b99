import { describe, expect, test } from "vitest";
import { createOptimizer, muon, muonWithAdamw } from "../src/index.js";
import { fromKeras, fromOptax, fromTorch } from "../src/interop/index.js";
import { oracle } from "../src/reference.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { anything, codeOf, numbers } from "./support.js";

/** The first update of a matrix of zeros, divided by the learning rate. */
async function update(
  spec: OptimizerSpec,
  shape: readonly number[],
  gradient: ArrayLike<number>,
): Promise<number[]> {
  const backend = oracle();
  const p = backend.tensor(shape);
  createOptimizer(spec, { p }).step({ p: Float64Array.from(gradient) });
  const { learningRate } = spec.hyperparameters;
  return Array.from(await p.read(), (value) => -value / Number(learningRate));
}

/** A matrix with these singular values, whose singular vectors are those of the axes. */
function diagonal(values: readonly number[], columns = values.length): Float64Array {
  const matrix = new Float64Array(values.length * columns);
  values.forEach((value, i) => {
    matrix[i * columns + i] = value;
  });
  return matrix;
}

function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function near(values: readonly number[], digits = 12): readonly unknown[] {
  return values.map((value) => expect.closeTo(value, digits) as unknown);
}

/** What the iterations make of a singular value. */
function iterated(sigma: number, polynomials: readonly (readonly number[])[]): number {
  return polynomials.reduce((x, [a, b, c]) => a * x + b * x ** 3 + c * x ** 5, sigma);
}

const jordan = [3.4445, -4.775, 2.0315];
const singular = [3, 2, 0.5, 0.1];
const scaled = singular.map(
  (value) => (value / (norm(singular.map((one) => one * 1.95)) + 1e-7)) * 1.95,
);

describe("muon", () => {
  test.each([0, 1, 5, 10])("%d iterations change only the singular values", async (nsSteps) => {
    const spec = muon({ nsSteps, adjust: "none" });
    const polynomials = Array<number[]>(nsSteps).fill(jordan);
    const expected = scaled.map((sigma) => iterated(sigma, polynomials));
    expect(await update(spec, [4, 4], diagonal(singular))).toEqual(near([...diagonal(expected)]));
    expect(await update(spec, [4, 7], diagonal(singular, 7))).toEqual(
      near([...diagonal(expected, 7)]),
    );
  });

  test("Polar Express brings singular values nearer to 1 with every iteration", async () => {
    let farthest = Infinity;
    for (const nsSteps of [2, 4, 6, 8]) {
      const spec = muon({ nsSteps, adjust: "none", polynomials: "polar-express" });
      const values = await update(spec, [4, 4], diagonal(singular));
      const distances = singular.map((_, i) => Math.abs(values[5 * i] - 1));
      expect(Math.max(...distances)).toBeLessThan(farthest);
      farthest = Math.max(...distances);
    }
    expect(farthest).toBeLessThan(1e-3);
  });

  test("adjust scales by the shape", async () => {
    const gradient = numbers(12, 3);
    for (const shape of [
      [2, 6],
      [6, 2],
      [6, 1, 2],
    ]) {
      const [rows, columns] = [shape[0], 12 / shape[0]];
      const plain = await update(muon({ adjust: "none" }), shape, gradient);
      const factors = {
        rms: Math.sqrt(6) * 0.3,
        original: Math.sqrt(Math.max(1, rows / columns)),
        transposed: Math.sqrt(Math.max(1, columns / rows)),
      };
      for (const adjust of ["rms", "original", "transposed"] as const) {
        const got = await update(muon({ adjust, rmsRate: 0.3 }), shape, gradient);
        expect(got).toEqual(near(plain.map((value) => value * factors[adjust])));
      }
    }
  });

  test("forms of the momentum differ only in the scale of m", async () => {
    for (const nesterov of [true, false]) {
      const runs = await Promise.all(
        (["keras", "torch"] as const).map(async (momentumForm) => {
          const p = oracle().tensor([3, 4]);
          const optimizer = createOptimizer(muon({ momentumForm, nesterov, epsilon: 1e-30 }), {
            p,
          });
          for (let t = 0; t < 3; t += 1) optimizer.step({ p: Float64Array.from(numbers(12, t)) });
          const { slots } = await optimizer.state();
          return { p: [...(await p.read())], m: [...slots.p.m] };
        }),
      );
      expect(runs[0].p).toEqual(near(runs[1].p));
      expect(runs[0].m.map((value) => value * 0.05)).toEqual(near(runs[1].m));
    }
  });

  test.each(["keras", "torch", "optax"] as const)(
    "no gradient, no update: %s",
    async (momentumForm) => {
      const got = await update(muon({ momentumForm }), [2, 3], new Float64Array(6));
      expect(got.map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0]);
    },
  );

  test("second moments make rows or columns equal, and keep the norm", async () => {
    const gradient = numbers(12, 9);
    const plain = await update(muon(), [3, 4], gradient);
    const rows = await update(muon({ secondMoments: "row" }), [3, 4], gradient);
    const columns = await update(muon({ secondMoments: "column" }), [3, 4], gradient);
    for (const [values, lengths] of [
      [rows, [0, 4, 8].map((from) => norm(rows.slice(from, from + 4)))],
      [columns, [0, 1, 2, 3].map((i) => norm([0, 4, 8].map((from) => columns[from + i])))],
    ]) {
      expect(norm(values)).toBeCloseTo(norm(plain), 8);
      expect(lengths).toEqual(near(Array<number>(lengths.length).fill(lengths[0]), 8));
    }
  });

  test("the average of the second moments decays with beta2", async () => {
    const p = oracle().tensor([2, 2]);
    const optimizer = createOptimizer(muon({ secondMoments: "row", beta2: 0.75, epsilon: 1e-30 }), {
      p,
    });
    const slot = async (): Promise<number[]> => [...(await optimizer.state()).slots.p.v];
    optimizer.step({ p: Float64Array.of(1, 0, 0, 1) });
    const [first] = await slot();
    optimizer.step({ p: new Float64Array(4) });
    const [second] = await slot();
    // The update is the same in both steps: only its direction counts.
    expect(second).toBeCloseTo(first * (1 + 0.75), 12);
  });
});

describe("muonWithAdamw", () => {
  const shapes = {
    "embed/table": [3, 2],
    "hidden/kernel": [2, 2],
    "hidden/bias": [2],
    "conv/kernel": [2, 1, 2],
    "head/kernel": [2, 3],
  };

  function groupsOf(spec: OptimizerSpec): readonly string[] {
    const backend = oracle();
    const parameters = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape)]),
    );
    return createOptimizer(spec, parameters).groups[0].parameters;
  }

  test("AdamW has all but the matrices between", () => {
    expect(groupsOf(muonWithAdamw())).toEqual([
      "embed/table",
      "hidden/bias",
      "conv/kernel",
      "head/kernel",
    ]);
    expect(groupsOf(muonWithAdamw({ exclude: /^head/g }))).toEqual([
      "hidden/bias",
      "conv/kernel",
      "head/kernel",
    ]);
  });

  test("each rule has its settings", () => {
    const spec = muonWithAdamw({
      muon: { learningRate: 0.02, momentum: 0.9 },
      adamw: { learningRate: 3e-4, weightDecay: 0.1 },
    });
    const backend = oracle();
    const optimizer = createOptimizer(spec, {
      kernel: backend.tensor([2, 2]),
      bias: backend.tensor([2]),
    });
    expect(optimizer.momentum).toBe(0.9);
    expect(optimizer.learningRate).toBe(0.02);
    const [group] = optimizer.groups as unknown as Record<string, number>[];
    expect([group.learningRate, group.weightDecay, group.beta2]).toEqual([3e-4, 0.1, 0.999]);
  });

  test("a model of matrices alone has nothing for AdamW", async () => {
    const p = oracle().tensor([2, 2]);
    const optimizer = createOptimizer(muonWithAdamw(), { p });
    optimizer.step({ p: Float64Array.of(1, 0, 0, 1) });
    expect(optimizer.groups[0].parameters).toEqual([]);
    expect((await p.read())[0]).not.toBe(0);
  });
});

describe("other libraries' Muon", () => {
  test("patterns of Keras's exclude_layers, and embeddings", () => {
    const config = { exclude_layers: ["^out.*el$"], learning_rate: 0.1, adam_lr_ratio: 0.5 };
    const [group] = fromKeras({ class_name: "Muon", config }).groups;
    const match = group.match as (parameter: object) => boolean;
    const shape = [2, 2];
    expect(match({ name: "output/kernel", shape })).toBe(true);
    expect(match({ name: "an/Embedding", shape })).toBe(true);
    expect(match({ name: "hidden/kernel", shape })).toBe(false);
    expect(group.rule!.hyperparameters.learningRate).toBe(0.05);
    expect(codeOf(() => fromKeras({ class_name: "Muon", config: { exclude_layers: "x" } }))).toBe(
      "UNKNOWN_OPTION",
    );
  });

  test("rates by the shape", () => {
    const adjust = (adjust_lr_fn: unknown) => fromTorch("Muon", { adjust_lr_fn }).options.adjust;
    expect(adjust(null)).toBe("original");
    expect(adjust("original")).toBe("original");
    expect(adjust("match_rms_adamw")).toBe("rms");
    expect(codeOf(() => adjust("other"))).toBe("INVALID_HYPERPARAMETER");
    const keras = (rms_rate: unknown) => fromKeras({ class_name: "Muon", config: { rms_rate } });
    expect(keras(null).options.adjust).toBe("none");
    expect(keras(0.1).hyperparameters.rmsRate).toBe(0.1);
    expect(fromOptax("muon").options.adjust).toBe("transposed");
    expect(fromOptax("muon", { consistent_rms: 0.3 }).hyperparameters.rmsRate).toBe(0.3);
  });

  test("coefficients are three numbers", () => {
    const { hyperparameters } = fromTorch("Muon", { ns_coefficients: [3, -3, 1] });
    expect([hyperparameters.muonA, hyperparameters.muonB, hyperparameters.muonC]).toEqual([
      3, -3, 1,
    ]);
    expect(codeOf(() => fromTorch("Muon", { ns_coefficients: [3, -3] }))).toBe(
      "INVALID_HYPERPARAMETER",
    );
    expect(codeOf(() => fromOptax("muon", { ns_coeffs: "dion" }))).toBe("INVALID_HYPERPARAMETER");
    expect(codeOf(() => fromOptax("muon", { adaptive: true }))).toBe("UNSUPPORTED");
  });

  const numbersOf = (spec: OptimizerSpec): Record<string, unknown> => ({ ...spec.hyperparameters });

  test("every option of Keras has its place", () => {
    const config = {
      learning_rate: 0.5,
      weight_decay: 0.25,
      momentum: 0.75,
      nesterov: false,
      ns_steps: 3,
      muon_a: 1,
      muon_b: 2,
      muon_c: 3,
      rms_rate: 4,
      epsilon: 0.125,
      adam_beta_1: 0.0625,
      adam_beta_2: 0.03125,
      adam_weight_decay: 8,
      adam_lr_ratio: 2,
      exclude_embeddings: false,
    };
    const spec = fromKeras({ class_name: "Muon", config });
    expect(numbersOf(spec)).toMatchObject({
      learningRate: 0.5,
      weightDecay: 0.25,
      momentum: 0.75,
      nsSteps: 3,
      muonA: 1,
      muonB: 2,
      muonC: 3,
      rmsRate: 4,
      epsilon: 1e-7,
    });
    expect(spec.options).toMatchObject({ nesterov: false, adjust: "rms", momentumForm: "keras" });
    const [{ rule, match }] = spec.groups;
    // Keras decays with the rate of Muon, here half of AdamW's.
    expect(numbersOf(rule!)).toMatchObject({
      learningRate: 1,
      weightDecay: 4,
      epsilon: 0.125,
      beta1: 0.0625,
      beta2: 0.03125,
    });
    const isAdamws = match as (parameter: object) => boolean;
    expect(isAdamws({ name: "embedding", shape: [2, 2] })).toBe(false);
    expect(isAdamws({ name: "bias", shape: [2] })).toBe(true);
  });

  test("defaults of Keras", () => {
    const spec = fromKeras({ class_name: "Muon", config: {} });
    expect(numbersOf(spec)).toMatchObject({
      learningRate: 1e-3,
      weightDecay: 0.004,
      momentum: 0.95,
      nsSteps: 5,
      rmsRate: 0.2,
    });
    const [{ rule }] = spec.groups;
    expect(numbersOf(rule!)).toMatchObject({
      learningRate: 1e-3,
      weightDecay: 0.004,
      epsilon: 1e-7,
    });
    const without = fromKeras({ class_name: "Muon", config: { adam_weight_decay: null } });
    expect(without.groups[0].rule!.hyperparameters.weightDecay).toBe(0);
  });

  test("every option of Optax has its place", () => {
    const spec = fromOptax("muon", {
      learning_rate: 0.5,
      ns_coeffs: [1, 2, 3],
      ns_steps: 4,
      beta: 0.75,
      eps: 0.125,
      weight_decay: 0.25,
      nesterov: false,
      adam_b1: 0.0625,
      adam_b2: 0.03125,
      adam_eps_root: 8,
      adam_weight_decay: 16,
      adam_learning_rate: 32,
    });
    expect(numbersOf(spec)).toMatchObject({
      learningRate: 0.5,
      muonA: 1,
      muonB: 2,
      muonC: 3,
      nsSteps: 4,
      momentum: 0.75,
      epsilon: 0.125,
      weightDecay: 0.25,
    });
    expect(spec.options).toMatchObject({ nesterov: false, momentumForm: "optax" });
    const [{ rule, match }] = spec.groups;
    expect(numbersOf(rule!)).toMatchObject({
      learningRate: 32,
      weightDecay: 16,
      epsilon: 0.125,
      epsilonRoot: 8,
      beta1: 0.0625,
      beta2: 0.03125,
    });
    expect(rule!.options).toMatchObject({
      nesterov: false,
      epsilonMode: "paper",
      averageForm: "sum-of-squares",
    });
    expect((match as (parameter: object) => boolean)({ name: "head", shape: [2, 2] })).toBe(false);
  });

  test("defaults of Optax", () => {
    const spec = fromOptax("muon", { learning_rate: 0.5, ns_coeffs: "standard" });
    expect(numbersOf(spec)).toMatchObject({ epsilon: 1e-8, muonA: 3.4445, weightDecay: 0 });
    expect(numbersOf(spec.groups[0].rule!)).toMatchObject({
      learningRate: 0.5,
      weightDecay: 0,
      epsilon: 1e-8,
    });
    expect(spec.groups[0].rule!.options.nesterov).toBe(true);
  });

  test("options of PyTorch", () => {
    const spec = fromTorch("Muon", { eps: 0.5, momentum: 0.25, ns_steps: 2, nesterov: false });
    expect(numbersOf(spec)).toMatchObject({
      learningRate: 1e-3,
      weightDecay: 0.1,
      epsilon: 0.5,
      momentum: 0.25,
      nsSteps: 2,
    });
    expect(spec.options).toMatchObject({
      nesterov: false,
      momentumForm: "torch",
      weightDecayMode: "decoupled",
    });
    expect(fromTorch("Muon").hyperparameters.epsilon).toBe(1e-7);
    const { rmsRate } = fromTorch("Muon", { adjust_lr_fn: "match_rms_adamw" }).hyperparameters;
    expect(rmsRate).toBe(0.2);
  });

  test.each([
    ["weight_decay_mask", "x"],
    ["mu_dtype", "bfloat16"],
    ["preconditioning", "aol"],
    ["muon_weight_dimension_numbers", {}],
  ])("Optax's %s is refused", (option, value) => {
    expect(codeOf(() => fromOptax("muon", { [option]: value }))).toBe("UNSUPPORTED");
  });
});

describe("muonWithAdamw", () => {
  test.each([/.*/, /(?:)/, "embed"])(
    "refuses the pattern %s, which leaves nothing to Muon",
    (exclude) => {
      expect(codeOf(() => muonWithAdamw({ exclude: anything(exclude) }))).toBe(
        "INVALID_HYPERPARAMETER",
      );
    },
  );

  test("refuses settings that it does not know", () => {
    expect(codeOf(() => muonWithAdamw(anything({ adam: {} })))).toBe("UNKNOWN_OPTION");
  });
});
