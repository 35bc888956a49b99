import { expect, test } from "vitest";
import type { BatchRun } from "../src/backend/backend.js";
import { reference } from "../src/reference.js";
import { chain } from "../src/rule/chain.js";
import { adam } from "../src/rules/adam.js";
import { sgd } from "../src/rules/sgd.js";
import { clipByGlobalNorm } from "../src/stages/factories.js";
import { contentOf, gradientsOf, names, start } from "./guarded-runs.js";
import { guarding } from "./guarding-backend.js";
import { copyOf, type Target } from "./host-guard.js";

const clipped = chain(clipByGlobalNorm(0.25), adam());

test.each([
  ["have a norm in common", chain(clipByGlobalNorm(0.25), sgd()), 1],
  ["have nothing in common", sgd(), 0],
])("rules that %s are recorded as one step", async (_, rule, together) => {
  const device = guarding();
  const recorded: number[][] = [];
  Object.assign(device, {
    encodeTogether: (target: Target, runs: readonly BatchRun[]) => {
      recorded.push(runs.map(({ count }) => count));
      const all = runs.map((run) => ({ ...run, updates: copyOf(run.updates, run.count) }));
      target.push(() => device.runTogether!(all));
    },
  });
  const options = {
    groups: [
      { match: "b", rule },
      { match: "s", rule, frozen: true },
    ],
  };
  const plain = start(reference(), clipped, options);
  const recording = start(device, clipped, options);
  for (let seed = 0; seed < 3; seed += 1) {
    const gradients = gradientsOf(seed);
    const target: Target = [];
    const tensors = names.map((name) => {
      const tensor = recording.optimizer.gradient(name);
      tensor.write(gradients[name]);
      return [name, tensor] as const;
    });
    recording.optimizer.encode(target, Object.fromEntries(tensors));
    device.submit(target);
    plain.optimizer.step(gradients);
  }
  expect(await contentOf(recording)).toEqual(await contentOf(plain));
  // Without the rule whose parameters stay.
  expect(recorded).toEqual(Array.from({ length: 3 * together }, () => [1, 1]));
});
