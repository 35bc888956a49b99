import { chain, clipByGlobalNorm, sgd as sgdRule, warmup } from "@gradstep/core";
import { fromKeras } from "@gradstep/core/interop";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adam, adamw, GradstepOptimizer, sgd, tfOptimizer } from "../src/index.js";
import { tfjsOptimizers } from "../src/tfjs-optimizers/tfjs-optimizer.js";
import { backends, codeOf, numbers, tf, variable } from "./support.js";

/** The values of two variables after four steps. */
function trained(optimizer: GradstepOptimizer): number[][] {
  const variables = ["w", "b"].map((name, i) => variable(numbers(6, i), [2, 3], name));
  for (let step = 0; step < 4; step += 1)
    tf.tidy(() => {
      optimizer.applyGradients(
        variables.map(({ name }, i) => ({
          name,
          tensor: tf.tensor(numbers(6, 10 * step + i), [2, 3]),
        })),
      );
    });
  const values = variables.map((one) => Array.from(one.dataSync()));
  tf.disposeVariables();
  return values;
}

describe.each(backends)("Keras's names in settings, %s", (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend);
  });

  test.each([
    { clipnorm: 0.25 },
    { clipvalue: 0.125 },
    { global_clipnorm: 0.5 },
    { use_ema: true, ema_momentum: 0.5, ema_overwrite_frequency: 3 },
    { clipvalue: 0.125, use_ema: true, ema_overwrite_frequency: 2 },
    { clipnorm: null, use_ema: false },
  ])("%j as in Keras", (keras) => {
    const config = { learning_rate: 0.1, ...keras };
    const expected = trained(tfOptimizer(fromKeras({ class_name: "Adam", config })));
    const settings = { learningRate: 0.1, averageForm: "sum-of-squares", ...keras } as const;
    expect(trained(adam(settings))).toEqual(expected);
  });

  test("global_clipnorm, with numbers by hand", () => {
    const w = variable([0, 0], [2]);
    sgd({ learningRate: 1, global_clipnorm: 1 }).applyGradients({ [w.name]: tf.tensor([3, 4]) });
    const [first, second] = w.dataSync();
    expect(first).toBeCloseTo(-0.6, 6);
    expect(second).toBeCloseTo(-0.8, 6);
    w.dispose();
  });
});

describe("settings", () => {
  beforeEach(async () => {
    await tf.setBackend("cpu");
  });
  afterEach(() => {
    tf.disposeVariables();
  });

  test("Keras's names are saved, and go with groups, schedules and options", () => {
    const optimizer = adamw(
      { learningRate: warmup(2, 0.1), global_clipnorm: 1, use_ema: true },
      { groups: [{ match: "b", weightDecay: 0 }], lossScale: 8 },
    );
    const config = optimizer.getConfig();
    expect(config.rule).toBe("clip-by-global-norm+adamw+ema");
    const loaded = GradstepOptimizer.fromConfig<GradstepOptimizer>(GradstepOptimizer, config);
    expect(trained(loaded)).toEqual(trained(optimizer));
  });

  test("two ways to clip, and values that Keras refuses", async () => {
    expect(await codeOf(() => adam({ clipnorm: 1, clipvalue: 1 }))).toBe("INVALID_HYPERPARAMETER");
    expect(await codeOf(() => adam({ clipnorm: -1 }))).toBe("INVALID_HYPERPARAMETER");
    expect(await codeOf(() => adam({ use_ema: 1 as never }))).toBe("INVALID_HYPERPARAMETER");
    expect(await codeOf(() => adam({ clip_norm: 1 } as object))).toBe("UNKNOWN_OPTION");
  });

  test("rowSteps, since gradients of TF.js have no rows of their own", async () => {
    const groups = [{ match: "w", sparse: "lazy", rowSteps: true }] as const;
    expect(await codeOf(() => adam({}, { groups }))).toBe("UNSUPPORTED");
  });

  const optimizers: [string, () => GradstepOptimizer][] = [
    ["adam", () => adam()],
    ["tf.train.adam", () => new tfjsOptimizers.adam(0.1)],
    ["a chain", () => tfOptimizer(chain(clipByGlobalNorm(1), sgdRule()))],
    [
      "one that was loaded",
      () => GradstepOptimizer.fromConfig<GradstepOptimizer>(GradstepOptimizer, adam().getConfig()),
    ],
  ];
  describe.each(optimizers)("properties of %s", (_, make) => {
    test.each(["lr", "learning_rate", "learningrate", "rho", "clipnorm", "constructorr"])(
      "%s cannot be set, and is not there",
      async (name) => {
        const optimizer = make();
        expect(await codeOf(() => Reflect.set(optimizer, name, 0.5))).toBe("UNKNOWN_OPTION");
        expect(name in optimizer).toBe(false);
        expect(optimizer.learningRate).not.toBe(0.5);
      },
    );

    test("hyperparameters can be set, and it is an optimizer of TF.js", () => {
      const optimizer = make();
      optimizer.learningRate = 0.5;
      expect(optimizer.learningRate).toBe(0.5);
      expect(optimizer).toBeInstanceOf(tf.Optimizer);
    });
  });

  test("the error names what was meant", () => {
    expect(() => Reflect.set(adam(), "lr", 1)).toThrow(/"lr".*Did you mean "learningRate"/);
  });

  test("a subclass may have properties of its own", () => {
    class Counting extends GradstepOptimizer {
      declare count: number;
      constructor() {
        super(sgdRule());
        this.count = 3;
      }
    }
    expect(new Counting().count).toBe(3);
  });
});
