import { describe, expect, test } from "vitest";
import type { Tensor } from "../src/backend/backend.js";
import type { OptimizerOptions } from "../src/optimizer/optimizer.js";
import type { StepOptions } from "../src/optimizer/step/step-options.js";
import { reference } from "../src/reference.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { adam } from "../src/rules/adam.js";
import { ftrl } from "../src/rules/ftrl.js";
import { sgd } from "../src/rules/sgd.js";
import { takingSignals } from "./device-signals.js";
import { contentOf, gradientsOf, names, start, type Run } from "./guarded-runs.js";
import type { DeviceBackend } from "./guarding-backend.js";
import { codeOf, numbers } from "./support.js";

interface Both {
  readonly device: Run & { readonly backend: DeviceBackend };
  readonly plain: Run;
}

function startBoth(spec: OptimizerSpec, options: OptimizerOptions = {}): Both {
  const backend = takingSignals();
  return {
    device: { ...start(backend, spec, options), backend },
    plain: start(reference(), spec, options),
  };
}

/** One f32 that the host does not see. */
const number = ({ backend }: Both["device"], value: number): Tensor => backend.tensor([1], [value]);

function flag({ backend }: Both["device"], value: number): Tensor {
  return backend.hide(backend.wrap(Uint32Array.of(value), { shape: [1] }));
}

type Step = (device: Both["device"]) => readonly [ofDevice: StepOptions, plain: StepOptions];

/** What the host computes with the numbers, a device does with tensors of them. */
const steps: readonly Step[] = [
  (device) => [{ scale: number(device, 0.25) }, { scale: 0.25 }],
  () => [{ scale: 4 }, { scale: 4 }],
  (device) => [{ learningRate: number(device, 0.5) }, { learningRate: 0.5 }],
  () => [{ learningRate: 0.25 }, { learningRate: 0.25 }],
  () => [{}, {}],
  (device) => [
    { scale: number(device, 2), learningRate: number(device, 0.125) },
    { scale: 2, learningRate: 0.125 },
  ],
  () => [{ scale: 1 }, {}],
];

/** Without a rate on the device, which a guard does not take. */
const scales: readonly Step[] = [0, 1, 3, 4].map((i) => steps[i]);

/** Of one call, and not skipped. */
const flags: readonly Step[] = [
  (device) => [{ skip: flag(device, 0) }, {}],
  (device) => [{ skip: flag(device, 0), learningRate: number(device, 2) }, { learningRate: 2 }],
];

const heavy = sgd({ learningRate: 0.5, momentum: 0.5 });

describe("a device that takes signals does what the host does with numbers", () => {
  test.each<[string, OptimizerSpec, OptimizerOptions, readonly Step[]]>([
    ["sgd", heavy, {}, [...steps, ...flags]],
    ["two rules", heavy, { groups: [{ match: "b", rule: adam() }] }, [...steps, ...flags]],
    ["several calls", heavy, { accumulate: 2 }, steps],
    ["a loss scale", heavy, { lossScale: 8 }, scales],
    ["several calls and a loss scale", heavy, { accumulate: 2, lossScale: 4 }, scales],
  ])("%s", async (_, spec, options, all) => {
    const both = startBoth(spec, options);
    const calls = options.accumulate ?? 1;
    for (const [i, step] of all.entries()) {
      for (let call = 0; call < calls; call += 1) {
        const [ofDevice, plain] = step(both.device);
        both.device.optimizer.step(gradientsOf(2 * i + call), ofDevice);
        both.plain.optimizer.step(gradientsOf(2 * i + call), plain);
      }
      expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
    }
  });

  test("rates by the names of parameters, some on the device", async () => {
    const groups = [{ match: "b", learningRate: 0.25 }, { match: "s" }];
    const both = startBoth(sgd({ learningRate: 0.5 }), { groups });
    const { device, plain } = both;
    device.optimizer.step(gradientsOf(1), {
      learningRate: { w: number(device, 0.125), s: 2 },
    });
    plain.optimizer.step(gradientsOf(1), { learningRate: { w: 0.125, s: 2 } });
    expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
    device.optimizer.step(gradientsOf(2), { learningRate: number(device, 4) });
    plain.optimizer.step(gradientsOf(2), { learningRate: 4 });
    expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
    device.optimizer.step(gradientsOf(3));
    plain.optimizer.step(gradientsOf(3));
    expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
  });

  test("gradients of earlier calls belong to the step", async () => {
    const both = startBoth(sgd({ learningRate: 0.5 }), { accumulate: 2 });
    for (const [{ optimizer }, learningRate] of [
      [both.device, number(both.device, 0.125)],
      [both.plain, 0.125],
    ] as const) {
      optimizer.step(gradientsOf(1));
      optimizer.step({ w: gradientsOf(2).w }, { learningRate: learningRate as number });
    }
    expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
  });
});

test("a step that the device skips changes nothing", async () => {
  const both = startBoth(heavy);
  const { device, plain } = both;
  for (const skipped of [1, 0, 7]) {
    device.optimizer.step(gradientsOf(skipped), { skip: flag(device, skipped), scale: 2 });
    if (skipped === 0) plain.optimizer.step(gradientsOf(skipped), { scale: 2 });
  }
  for (const name of names)
    expect(await device.parameters[name].read()).toEqual(await plain.parameters[name].read());
});

describe("signals that are refused leave the optimizer as it was", () => {
  const skip = (device: Both["device"]): StepOptions => ({ skip: flag(device, 1) });
  const rate = (device: Both["device"]): StepOptions => ({ learningRate: number(device, 0.5) });

  test.each<[string, OptimizerSpec, OptimizerOptions, (device: Both["device"]) => StepOptions]>([
    ["a rate of a rule whose scalars are not linear in it", ftrl(), {}, rate],
    ["a rate of rows that count their steps", adam(), { sparse: "lazy", rowSteps: true }, rate],
    ["a rate where the device skips steps", adam(), { nonFinite: "skip" }, rate],
    ["a flag where the device skips steps", adam(), { nonFinite: "skip" }, skip],
    ["a flag of one of several calls", adam(), { accumulate: 2 }, skip],
  ])("%s", async (_, spec, options, signals) => {
    const both = startBoth(spec, options);
    const { device, plain } = both;
    const failure = codeOf(() => device.optimizer.step(gradientsOf(1), signals(device)));
    expect(failure).toBe("UNSUPPORTED");
    for (const { optimizer } of [device, plain])
      for (const seed of [2, 3]) optimizer.step(gradientsOf(seed));
    expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
  });
});

test("a number as the rate of rows that count their own steps is taken", async () => {
  const both = startBoth(sgd({ learningRate: 0.5 }), { sparse: "lazy", rowSteps: true });
  for (const { optimizer } of [both.device, both.plain])
    optimizer.step({ w: numbers(20, 4) }, { learningRate: 0.125 });
  expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
});
