import type { OptimizerSpec, Rule, StepOptions } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assert } from "../assertions.js";
import { needsOf } from "../rule-needs.js";
import type { Check, Context } from "../check.js";

/** Every 64th step clears values that are too small to matter. */
const interval = 64;
const epsilon = 1e-7;

/** Below this, the mean of gradients moves no parameter. */
const mean = 2 ** -96;
/** Below this, a magnitude changes no sum with ε in f32; the square of it, no square. */
const magnitude = epsilon * 2 ** -28;
const square = magnitude ** 2;

/** The thresholds of each slot, by built-in rule. A slot that is not named is never cleared. */
const thresholds: Readonly<Record<string, { settings: object; slots: Record<string, number> }>> = {
  sgd: { settings: { momentum: 0.9 }, slots: { m: mean } },
  adagrad: { settings: { epsilon }, slots: { a: 0 } },
  rmsprop: {
    settings: { momentum: 0.9, centered: true, epsilon },
    slots: { m: mean, v: square, a: magnitude },
  },
  adam: { settings: { epsilon }, slots: { m: mean, v: square } },
  adamw: { settings: { epsilon }, slots: { m: mean, v: square } },
  adamax: { settings: { epsilon }, slots: { m: mean, norm: magnitude } },
  nadam: { settings: { epsilon }, slots: { m: mean, v: square } },
  lion: { settings: {}, slots: { m: mean } },
  adadelta: { settings: { epsilon }, slots: { v: magnitude, d: magnitude } },
  ftrl: { settings: {}, slots: { a: 0, z: 0 } },
  radam: { settings: { epsilon }, slots: { m: mean, v: square } },
  adabelief: { settings: { epsilon, epsilonRoot: 0 }, slots: { m: mean, v: square } },
  yogi: { settings: { epsilon }, slots: { m: mean, v: 0 } },
  adan: { settings: { epsilon }, slots: { m: mean, d: mean, v: square } },
  adopt: { settings: { epsilon }, slots: { m: mean, v: square } },
  lamb: { settings: { epsilon }, slots: { m: mean, v: square } },
  lars: { settings: {}, slots: { m: mean } },
  prodigy: { settings: {}, slots: { m: mean, s: mean } },
  "schedule-free-adamw": { settings: { epsilon }, slots: { v: square } },
  ademamix: { settings: { epsilon }, slots: { m1: mean, m2: mean, v: square } },
};

/**
 * Magnitudes in units of the threshold: the threshold itself, which is not cleared, and the last f32 below it are among
 * them. No two that follow one another stay.
 */
const factors = [0.5, 1, 0.75, 1.5, 0.25, 2 ** 20, 1 - 2 ** -24];

const mask = Uint32Array.of(0, 1, 0, 1);

/** Slots whose values have a sign. */
const signed = new Set(["m", "m1", "m2", "a"]);

/** The slots of the built-in rules: which small values are cleared, at which steps, and in which rows. */
export function flushChecks(rules: readonly Rule[]): readonly Check[] {
  return rules
    .filter(({ name }) => Object.hasOwn(thresholds, name))
    .flatMap((rule) => {
      const { settings, slots } = thresholds[rule.name];
      const spec = rule.specify({ ...settings });
      const group = "clearing of small values";
      return [
        {
          group,
          name: `${rule.name}: at every 64th step and at no other`,
          needs: needsOf(rule),
          run: (context: Context) => clearing(context, spec, slots),
        },
        {
          group,
          name: `${rule.name}: only in the rows of a mask`,
          needs: ["rows", ...needsOf(rule)] as const,
          run: (context: Context) => clearing(context, spec, slots, { rows: mask }),
        },
        {
          group,
          name: `${rule.name}: in all rows, if others are updated by a gradient of 0`,
          needs: ["rows", ...needsOf(rule)] as const,
          run: (context: Context) =>
            clearing(context, spec, slots, { rows: mask, unselectedRows: "zero" }),
        },
      ];
    });
}

async function clearing(
  { target }: Context,
  spec: OptimizerSpec,
  slots: Readonly<Record<string, number>>,
  options?: StepOptions,
): Promise<void> {
  const backend = await target.backend();
  const leavesOut = options !== undefined && options.unselectedRows !== "zero";
  const rowLength = 9;
  const rows = 4;
  const size = rows * rowLength;
  const parameters = { p: backend.tensor([rows, rowLength], new Float32Array(size).fill(1)) };
  const optimizer = target.create(spec, parameters);
  const state = await optimizer.state();
  const steps = options === undefined ? [1, 32, 63, 64, 65, 128] : [63, 64, 128];
  for (const step of steps) {
    const iterations = step - 1;
    // The order depends on the step, so that each element is small at one of the steps that clear.
    const before = Object.fromEntries(
      Object.entries(slots).map(([slot, limit]) => [
        slot,
        Float32Array.from({ length: size }, (_, i) => {
          const value = Math.fround(limit || square) * factors[(i + step) % factors.length];
          return signed.has(slot) && i % 8 >= 4 ? -value : value;
        }),
      ]),
    );
    optimizer.restore({
      ...state,
      iterations,
      groups: state.groups.map((group) => ({ ...group, iterations })),
      slots: { p: { ...state.slots.p, ...before } },
    });
    optimizer.step({ p: new Float32Array(size) }, options);
    const { p: after } = await snapshot(optimizer, parameters);
    for (const [slot, limit] of Object.entries(slots)) {
      for (let i = 0; i < size; i += 1) {
        const start = before[slot][i];
        const where = `${spec.rule.name}, step ${step}: ${slot} of "p"[${i}]`;
        if (leavesOut && mask[Math.floor(i / rowLength)] === 0) {
          assert(
            Object.is(after[slot][i], start),
            `${where}, in a row that the mask leaves out, is ${after[slot][i]}; expected exactly ${start} (bound 0)`,
          );
          continue;
        }
        const isCleared = step % interval === 0 && Math.abs(start) < Math.fround(limit);
        assert(
          (after[slot][i] === 0) === isCleared,
          `${where} is ${after[slot][i]} after ${start} and a gradient of 0; expected ${isCleared ? "exactly 0 (bound 0)" : "not 0"} with the threshold ${limit} at every ${interval}th step`,
        );
      }
    }
  }
  optimizer.dispose();
}
