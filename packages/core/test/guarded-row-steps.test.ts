import { expect, test } from "vitest";
import { newRow } from "../src/backend/backend.js";
import type { OptimizerOptions } from "../src/optimizer/optimizer.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { adam } from "../src/rules/adam.js";
import { adamw } from "../src/rules/adamw.js";
import { warmup } from "../src/schedules/factories.js";
import { contentOf, gradientsOf, sparseGradient, startBoth } from "./guarded-runs.js";

const rowSteps = { sparse: "lazy", rowSteps: true } as const;
const scheduled = adamw({ learningRate: warmup(20, 0.1) });

const trainings: readonly (readonly [string, OptimizerSpec, OptimizerOptions])[] = [
  ["adam", adam({ learningRate: 0.1 }), { groups: [{ match: "w", ...rowSteps }] }],
  ["a schedule", scheduled, { groups: [{ match: "w", ...rowSteps }] }],
  ["a loss scale", scheduled, { groups: [{ match: "w", ...rowSteps }], lossScale: 4 }],
  ["several calls", scheduled, { groups: [{ match: "w", ...rowSteps }], accumulate: 2 }],
  ["every", adam(), { groups: [{ match: "w", ...rowSteps, every: 3 }] }],
  [
    "every, a schedule and a loss scale",
    scheduled,
    { groups: [{ match: "w", ...rowSteps, every: 3 }], lossScale: 4 },
  ],
  [
    "every, several calls",
    adam(),
    { groups: [{ match: "w", ...rowSteps, every: 2 }], accumulate: 2 },
  ],
];

test.each(trainings)(
  "rows that count their own steps, on a device that skips some; %s",
  async (_, spec, options) => {
    const { guarded, plain, step } = startBoth(spec, options);
    const { accumulate = 1 } = options;
    let seed = 0;
    const take = (isTaken: boolean): void => {
      for (let call = 0; call < accumulate; call += 1) {
        seed += 1;
        const { b, s } = gradientsOf(seed);
        if (!isTaken && call === 0) s[0] = Infinity;
        step({ ...(seed % 4 > 0 && { w: sparseGradient(seed) }), b, s }, isTaken);
      }
    };
    for (let i = 0; i < 24; i += 1) {
      for (let skips = (i * 5) % 3; skips > 0; skips -= 1) take(false);
      take(true);
      if (i % 6 !== 5) continue;
      // Two at once.
      const readings = [guarded.optimizer.metrics()];
      take(false);
      take(true);
      readings.push(guarded.optimizer.metrics());
      take(true);
      await Promise.all(readings);
      // Before anything else is read: with the counts as those readings left them.
      take(true);
      expect(await contentOf(guarded)).toEqual(await contentOf(plain));
    }
    expect(await contentOf(guarded)).toEqual(await contentOf(plain));
    expect(guarded.optimizer.skippedSteps).toBe(28);
  },
);

test("rows are moved, reset and restored while their counts are uncertain", async () => {
  const { guarded, plain, step } = startBoth(adam(), rowSteps);
  const both = [guarded.optimizer, plain.optimizer];
  let seed = 0;
  const take = (isTaken: boolean): void => {
    seed += 1;
    step({ w: sparseGradient(seed, !isTaken) }, isTaken);
  };
  const change = async (i: number): Promise<void> => {
    if (i % 4 === 1)
      for (const one of both) one.reset("w", { rows: Uint32Array.of(1, 0, 0, 1, 0) });
    const resetRows = Uint32Array.of(0, 0, 1, 0, 0);
    if (i % 4 === 2)
      for (const one of both)
        one.rows("w").remap(Uint32Array.of(3, newRow, 3, 0, 4), { resetRows });
    if (i % 4 !== 3) return;
    const state = structuredClone(await guarded.optimizer.state());
    expect(state.rowSteps).toEqual((await plain.optimizer.state()).rowSteps);
    for (const isTaken of [true, false, true]) take(isTaken);
    // What was asked before does not correct what is restored.
    const reading = guarded.optimizer.metrics();
    for (const one of both) one.restore(state);
    take(false);
    take(true);
    await reading;
  };
  for (let i = 0; i < 16; i += 1) {
    for (let skips = (i * 5) % 3; skips > 0; skips -= 1) take(false);
    take(true);
    const reading = i % 2 === 1 ? guarded.optimizer.metrics() : undefined;
    await change(i);
    take(i % 3 !== 0);
    await reading;
    expect(await contentOf(guarded)).toEqual(await contentOf(plain));
  }
});
