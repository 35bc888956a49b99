import { nadam, scheduleFreeAdamw, scheduleFreeSgd, warmup } from "@gradstep/core";
import { expect, test } from "vitest";
import { seed } from "../../../testing/cases.js";
import { describe, newBackend } from "./gpu.js";
import { arrays, bad, bitsOf, start, type Arrays } from "./guarded-runs.js";
import { Random } from "./random.js";

/** Rules that keep scalars on the host, which depend on all steps before. */
const rules = [
  nadam({ learningRate: warmup(10, 0.1) }),
  scheduleFreeSgd({ learningRate: warmup(10, 0.1) }),
  scheduleFreeAdamw({ learningRate: 0.1 }),
];

describe("rules that keep scalars on the host", () => {
  test.each(rules)("$rule.name: steps that the device skips do not count", async (rule) => {
    const random = new Random(seed + 30);
    const backend = await newBackend();
    const initial = arrays(random);
    // The other rule shares the steps.
    const options = { groups: [{ match: "b", rule: nadam() }] };
    const skipping = start(backend, rule, initial, { ...options, nonFinite: "skip" });
    const plain = start(backend, rule, initial, options);
    for (let i = 0; i < 30; i += 1) {
      for (let k = random.below(3); k > 0; k -= 1) skipping.optimizer.step(bad(random, k));
      const gradients = arrays(random);
      for (const { optimizer } of [skipping, plain]) optimizer.step(gradients);
      // Steps are taken while the counts are being read.
      if (i % 7 !== 6) continue;
      const reading = skipping.optimizer.metrics();
      const next = [bad(random, i), arrays(random)];
      for (const one of next) skipping.optimizer.step(one);
      plain.optimizer.step(next[1]);
      await reading;
    }
    expect(skipping.optimizer.iterations).toBeGreaterThan(plain.optimizer.iterations);
    expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    expect(skipping.optimizer.iterations).toBe(plain.optimizer.iterations);
  });

  test.each(rules)(
    "$rule.name: a skipped step leaves them, in groups with every, too",
    async (rule) => {
      const random = new Random(seed + 35);
      const backend = await newBackend();
      const initial = arrays(random);
      const groups = [{ match: "b", every: 3 }];
      const skipping = start(backend, rule, initial, { nonFinite: "skip", groups });
      const plain = start(backend, rule, initial, { groups });
      for (let i = 0; i < 5; i += 1) {
        for (let k = 0; k < 2; k += 1) {
          const gradients = arrays(random);
          for (const { optimizer } of [skipping, plain]) optimizer.step(gradients);
          const notFinite = arrays(random);
          notFinite.w[3] = Number.NaN;
          skipping.optimizer.step(notFinite);
        }
        expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
      }
    },
  );

  test("they go on in a step without gradients of the groups that are due", async () => {
    const random = new Random(seed + 36);
    const backend = await newBackend();
    const initial = arrays(random);
    const groups = [{ match: "b", every: 2 }];
    const skipping = start(backend, nadam(), initial, { nonFinite: "skip", groups });
    const plain = start(backend, nadam(), initial, { groups });
    const step = ({ b, ...others }: Arrays, isOfB = false): void => {
      for (const { optimizer } of [skipping, plain])
        optimizer.step({ b, ...(isOfB ? {} : others) });
    };
    step(arrays(random));
    step(arrays(random));
    step(arrays(random), true);
    expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    const notFinite = arrays(random);
    notFinite.w[3] = Number.NaN;
    skipping.optimizer.step(notFinite);
    await skipping.optimizer.metrics();
    step(arrays(random));
    expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
  });

  test("a state has those of the steps that were taken", async () => {
    const random = new Random(seed + 31);
    const backend = await newBackend();
    const one = start(backend, nadam(), arrays(random));
    for (let i = 0; i < 9; i += 1)
      one.optimizer.step(i % 3 === 1 ? bad(random, i) : arrays(random));
    const state = structuredClone(await one.optimizer.state());
    const other = start(backend, nadam(), arrays(random));
    for (const name of Object.keys(one.parameters))
      other.parameters[name].write(await one.parameters[name].read());
    other.optimizer.restore(state);
    for (let i = 0; i < 6; i += 1) {
      const gradients = i % 3 === 1 ? bad(random, i) : arrays(random);
      for (const { optimizer } of [one, other]) optimizer.step(gradients);
    }
    expect(await bitsOf(other)).toEqual(await bitsOf(one));
  });

  test.each(["learningRate", "beta2", "epsilon"])(
    "a hyperparameter on which they do not depend can be set at any time; %s of nadam",
    async (name) => {
      const random = new Random(seed + 34);
      const backend = await newBackend();
      const initial = arrays(random);
      const groups = [{ match: "b", every: 3 }];
      const skipping = start(backend, nadam(), initial, { nonFinite: "skip", groups });
      const plain = start(backend, nadam(), initial, { groups });
      for (let i = 0; i < 30; i += 1) {
        for (let k = random.below(3); k > 0; k -= 1) {
          // In a group that takes no part in some steps, it may be finite.
          const gradients = arrays(random);
          gradients.w[random.below(20)] = Number.NaN;
          skipping.optimizer.step(gradients);
        }
        if (i % 4 === 3)
          for (const { optimizer } of [skipping, plain])
            Object.assign(optimizer, { [name]: 0.01 + (0.9 * i) / 40 });
        const gradients = arrays(random);
        for (const { optimizer } of [skipping, plain]) optimizer.step(gradients);
        if (i % 9 === 8) await skipping.optimizer.metrics();
      }
      expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    },
  );

  test("a hyperparameter that is set while the number of steps is uncertain is refused", async () => {
    const random = new Random(seed + 33);
    const backend = await newBackend();
    const initial = arrays(random);
    const skipping = start(backend, nadam(), initial);
    const plain = start(backend, nadam(), initial, {});
    skipping.optimizer.step(bad(random, 0));
    for (const { optimizer } of [skipping, plain]) Object.assign(optimizer, { beta1: 0.8 });
    const gradients = arrays(random);
    expect(() => skipping.optimizer.step(gradients)).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED",
        message: expect.stringContaining("call await optimizer.metrics() before a step"),
      }),
    );
    await skipping.optimizer.metrics();
    for (const { optimizer } of [skipping, plain]) optimizer.step(gradients);
    expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
  });
});
