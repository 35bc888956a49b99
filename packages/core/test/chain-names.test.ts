import { describe, expect, test } from "vitest";
import {
  chain,
  clipByGlobalNorm,
  clipByNorm,
  createOptimizer,
  defineRule,
  defineStage,
  ema,
  lookahead,
  nonNegative,
  sgd,
  type OptimizerSpec,
} from "../src/index.js";
import { oracle } from "../src/reference.js";
import { failureOf } from "./support.js";

const hyperparameters = { learningRate: nonNegative(1) };
const halved = defineStage({ name: "halved", perElement: "u = u * 0.5" });
const counted = defineStage({
  name: "counted",
  slots: { m: 0 },
  perElement: "m = m + 1\np = p + m * 0.125",
});
const addsM = defineStage({
  name: "adds-m",
  reads: { slots: ["m"] },
  perElement: "u = u + m * 0.25",
});

/** A parameter that starts at 1, after steps with these gradients. */
async function stepped(spec: OptimizerSpec, ...gradients: readonly number[]): Promise<number> {
  const p = oracle().tensor([1], [1]);
  const optimizer = createOptimizer(spec, { p });
  for (const gradient of gradients) optimizer.step({ p: Float64Array.of(gradient) });
  return (await p.read())[0];
}

describe("what a rule calculates can have the name of what a stage defines", () => {
  test("of a slot", async () => {
    const named = defineRule({
      name: "named-slow",
      hyperparameters,
      perElement: "slow = g * 0.5\nu = slow * learningRate",
    });
    const spec = chain(named(), lookahead({ lookaheadSteps: 2, lookaheadStepSize: 0.5 }));
    // 1 − 0.25 − 0.125, and half of the way from 1 to that.
    expect(await stepped(spec, 0.5, 0.25)).toBe(0.8125);
  });

  test("of a slot, in perStep", async () => {
    const named = defineRule({
      name: "named-ema",
      hyperparameters,
      perStep: "ema = learningRate * 2",
      perElement: "u = g * ema",
    });
    expect(await stepped(chain(named(), ema(0.5)), 0.25)).toBe(0.5);
  });

  test("of a hyperparameter", async () => {
    const named = defineRule({
      name: "named-clip",
      hyperparameters,
      perElement: "clipNorm = g * 2\nu = clipNorm * learningRate",
    });
    expect(await stepped(chain(clipByNorm(0.25), named()), 8)).toBe(0.5);
  });

  test("of a metric", async () => {
    const named = defineRule({
      name: "named-norm",
      hyperparameters,
      perElement: "globalNorm = normTensor(p)\nu = g * globalNorm * learningRate",
    });
    const p = oracle().tensor([2], [3, 4]);
    const optimizer = createOptimizer(chain(clipByGlobalNorm(1), named()), { p });
    optimizer.step({ p: Float64Array.of(0, 0.5) });
    expect([...(await p.read())]).toEqual([3, 1.5]);
    expect(await optimizer.metrics()).toEqual({ globalNorm: 0.5 });
  });
});

test("what the evaluation of a stage calculates can have the name of the rule's", async () => {
  const averaged = defineStage({
    name: "averaged",
    slots: { average: "p" },
    perElement: "average = average * 0.5 + p * 0.5\np = p",
    evaluation: "momentum = average * 2\np = momentum",
  });
  const p = oracle().tensor([1], [1]);
  const optimizer = createOptimizer(chain(sgd({ learningRate: 1 }), averaged()), { p });
  optimizer.step({ p: Float64Array.of(0.5) });
  optimizer.swap();
  expect([...(await p.read())]).toEqual([1.5]);
});

describe("slots that a rule has with some settings", () => {
  const momentum = sgd({ learningRate: 1, momentum: 0.5 });

  test("can be read", async () => {
    // m is 1 and 1.5.
    expect(await stepped(chain(momentum, addsM()), 1, 1)).toBe(1 - 1.25 - 1.875);
  });

  test("cannot be read without", async () => {
    const failure = failureOf(() =>
      createOptimizer(chain(sgd(), addsM()), { p: oracle().tensor([1]) }),
    );
    expect(failure.code).toBe("INVALID_CHAIN");
    expect(failure.message).toContain('adds-m reads "m", which sgd does not have');
  });

  test.each([
    ["with it", momentum],
    ["without it now", sgd()],
  ])("have names of their own: %s", (_, spec) => {
    const failure = failureOf(() => chain(spec, counted()));
    expect(failure.code).toBe("INVALID_CHAIN");
    expect(failure.message).toContain('"m" belongs to sgd and to counted');
  });
});

describe("a stage on u is refused after a rule that assigns p", () => {
  test("with the statement that the frame has", () => {
    const own = defineRule({
      name: "own-application",
      hyperparameters,
      perElement: "u = g * learningRate\np = p - u",
    });
    expect(failureOf(() => chain(own(), halved())).message).toContain("assigns p itself");
  });

  test("with one of its options", async () => {
    const either = defineRule({
      name: "either",
      hyperparameters,
      options: { assigned: ["p", "u"] },
      perElement: ({ assigned }) =>
        assigned === "p" ? "p = p - g * learningRate" : "u = g * learningRate",
    });
    expect(await stepped(chain(either({ assigned: "u" }), halved()), 0.5)).toBe(0.75);
    expect(failureOf(() => chain(either(), halved())).code).toBe("INVALID_CHAIN");
  });
});

test("a chain keeps what the spec of its rule says about sparse gradients", () => {
  const spec: OptimizerSpec = { ...sgd(), sparseOptions: { sparse: "lazy", rowSteps: true } };
  const optimizer = createOptimizer(chain(spec, halved()), { p: oracle().tensor([2, 1]) });
  expect(optimizer.config()).toMatchObject({ sparse: "lazy", rowSteps: true });
});
