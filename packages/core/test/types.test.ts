import { describe, expect, expectTypeOf, test } from "vitest";
import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  earlyStopping,
  muonWithAdamw,
  oneCycle,
  type Optimizer,
  type OptimizerSpec,
  type WrapOptions,
} from "../src/index.js";
import { optimizerByName } from "../src/by-name.js";
import { reference } from "../src/reference.js";

// Checked by tsc, most of it alone: the functions are not called.
describe("types", () => {
  const w = reference().tensor([2, 2]);

  test("an optimizer of any rule is an Optimizer, whose learning rate can be set", () => {
    const made = (): Optimizer[] => [
      createOptimizer(adam(), { w }),
      createOptimizer(chain(clipByGlobalNorm(1), adam()), { w }),
      createOptimizer(muonWithAdamw(), { w }),
      createOptimizer(optimizerByName("adam"), { w }),
    ];
    const change = (optimizer: Optimizer): void => {
      optimizer.learningRate = 0.1;
      optimizer.groups[0].learningRate = 0.1;
      // @ts-expect-error: not every rule has it
      optimizer.beta1 = 0.5;
    };
    expectTypeOf(made).returns.items.toExtend<Parameters<typeof change>[0]>();
  });

  test("an option that is undefined is left out, also with exactOptionalPropertyTypes", async () => {
    const none = undefined;
    const parameters = { p: reference().tensor([2, 2]) };
    const optimizer = createOptimizer(
      adam({ learningRate: oneCycle(1, 10, { shape: none, divFactor: none }) }),
      parameters,
      { groups: none, accumulate: none, nonFinite: none, copies: none, rowCounts: none },
    );
    const gradient = new Float32Array(4).fill(1);
    optimizer.step({ p: gradient }, { rows: none, scale: none, skip: none, clear: none });
    optimizer.rows().remap(Uint32Array.of(1, 0), { resetRows: none, count: none });
    optimizer.reset("p", { rows: none, columns: none });
    optimizer.restore(await optimizer.state(), { partial: none });
    earlyStopping({ patience: none, parameters: none });
    expectTypeOf<{ shape: undefined; scale: undefined }>().toExtend<WrapOptions>();
    const group = { match: "p", every: none, frozen: none, rowSteps: none };
    createOptimizer(adam(), parameters, { groups: [group] });
    // The first rate of the cycle, 1 / 25.
    expect((await parameters.p.read())[0]).toBeCloseTo(-0.04, 6);
  });

  test("a rule that is chosen at run time is an OptimizerSpec", () => {
    const chosen = (isLarge: boolean): Optimizer => {
      const spec: OptimizerSpec = isLarge ? muonWithAdamw() : adam();
      return createOptimizer(spec, { w });
    };
    expectTypeOf(chosen).returns.toEqualTypeOf<Optimizer>();
  });

  test("one of several rules gives the hyperparameters that all of them have", () => {
    const chosen = (isLarge: boolean) => createOptimizer(isLarge ? muonWithAdamw() : adam(), { w });
    const change = (optimizer: ReturnType<typeof chosen>): void => {
      optimizer.learningRate = 0.1;
      optimizer.groups[0].learningRate = 0.1;
      // @ts-expect-error: Muon does not have it
      optimizer.beta1 = 0.5;
      // @ts-expect-error: Adam does not have it
      optimizer.momentum = 0.5;
    };
    expectTypeOf(chosen).returns.toExtend<Parameters<typeof change>[0] & Optimizer>();
    const grouped = (isLarge: boolean) =>
      createOptimizer(
        isLarge ? chain(clipByGlobalNorm(1), adam()) : adam(),
        { w },
        {
          // @ts-expect-error: only the chain has it
          groups: [{ match: "w", globalClipNorm: 2 }],
        },
      );
    expectTypeOf(grouped).returns.toExtend<Optimizer>();
  });

  test("a setting may be undefined, which is its default", () => {
    const make = (learningRate?: number, amsgrad?: boolean) => adam({ learningRate, amsgrad });
    expectTypeOf(make).returns.toEqualTypeOf<ReturnType<typeof adam>>();
    // @ts-expect-error: a name of PyTorch
    const wrong = () => adam({ lr: 1 });
    expectTypeOf(wrong).returns.toEqualTypeOf<ReturnType<typeof adam>>();
  });
});
