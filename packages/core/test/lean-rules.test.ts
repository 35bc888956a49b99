import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor, Values } from "../src/backend/backend.js";
import * as lean from "../src/lean/index.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { StepScalars } from "../src/optimizer/step-scalars.js";
import { reference } from "../src/reference.js";
import type { Hyperparameter } from "../src/rule/hyperparameter.js";
import type { Rule } from "../src/rule/spec.js";
import type { Variant } from "../src/rule/variant.js";
import { rules } from "../src/rules/index.js";
import { leanReference, tensorOf } from "./lean-reference.js";
import { anything, bits, numbers } from "./support.js";

type LeanRule = lean.LeanRule<string, Readonly<Record<string, unknown>>>;

const subjects = rules.map((rule) => ({
  name: rule.name,
  rule,
  compiled: anything<Readonly<Record<string, LeanRule>>>(lean)[rule.name],
}));

/** The rule's own variant that a compiled one stands for. */
function fullVariant(rule: Rule, { choices }: lean.CompiledVariant): Variant {
  return rule.variant(choices);
}

/** A number that a hyperparameter may be, near its default and at the ends of its range. */
function within({
  default: usual,
  min = 0,
  max = 1,
  below = 1,
}: Hyperparameter): fc.Arbitrary<number> {
  const most = Math.min(max, below - 1e-6);
  return fc.oneof(
    fc.constantFrom(usual, min),
    fc.double({ min, max: most, noNaN: true, noDefaultInfinity: true }),
  );
}

describe.each(subjects)("$name", ({ name, rule, compiled }) => {
  const { rule: table } = compiled;

  test("has its rule's settings", () => {
    expect(table.name).toBe(name);
    expect(table.hyperparameters).toEqual(rule.hyperparameters);
    expect(table.switches).toEqual(rule.switches);
    const defaults = Object.entries(rule.options).map(([key, [value]]) => [key, value]);
    expect(table.options).toEqual(Object.fromEntries(defaults));
    expect(compiled({ learningRate: 0.5 }).hyperparameters).toEqual(
      rule.specify({ learningRate: 0.5 }).hyperparameters,
    );
  });

  test.each(table.variants.map((variant, i) => ({ i, variant })))(
    "variant $i $variant.choices is that of its rule, scalars and carry to the bit",
    ({ variant }) => {
      const full = fullVariant(rule, variant);
      expect(variant.fingerprint).toBe(full.perElement.fingerprint);
      expect(variant.scalars).toHaveLength(full.scalars.length);
      expect(variant.carry).toEqual(full.carry);
      expect(Object.entries(variant.slots)).toEqual(
        full.slots.map((slot) => [slot.name, slot.initial]),
      );
      const settings = fc.record(
        Object.fromEntries(
          Object.entries(rule.hyperparameters).map(([key, range]) => [key, within(range)]),
        ),
      );
      fc.assert(
        fc.property(settings, fc.integer({ min: 1, max: 400 }), (hyperparameters, first) => {
          const expected = new StepScalars(full, (key) => hyperparameters[key], { count: 0 });
          const to = new Float64Array(full.scalars.length + Object.keys(full.carry).length);
          const carry = Float64Array.from(Object.values(full.carry));
          for (let t = first; t < first + 70; t += 1) {
            expected.compute(t);
            expected.commit();
            variant.perStep(hyperparameters, t, to, carry);
            carry.set(to.subarray(full.scalars.length));
            expect([...to]).toEqual([...expected.values, ...Object.values(expected.carry)]);
          }
        }),
        { numRuns: 30 },
      );
    },
  );

  test("steps, sets and restores as the whole optimizer does, to the bit", async () => {
    const event = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant("step"),
          which: fc.integer({ min: 1, max: 3 }),
          inTensors: fc.boolean(),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant("rate"),
          value: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("exchange") }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.nat(table.variants.length - 1),
        fc.array(event, { minLength: 70, maxLength: 90 }),
        async (i, events) => {
          const { choices } = table.variants[i];
          const settings: Record<string, unknown> = { weightDecay: 0.01 };
          for (const [key, value] of Object.entries(choices))
            settings[key] = table.switches.includes(key) ? 0.9 : value;
          const backend = leanReference();
          const first = { a: numbers(5, 1), b: numbers(3, 2) };
          const own = { a: tensorOf(backend, first.a), b: tensorOf(backend, first.b) };
          const whole = { a: reference().tensor([5], first.a), b: undefined as unknown as Tensor };
          whole.b = whole.a.backend.tensor([3], first.b);
          let small = lean.createOptimizer(compiled(anything<never>(settings)), own);
          let large = createOptimizer(rule.specify(settings), whole);
          for (const [t, { kind, ...rest }] of events.entries()) {
            if (kind === "rate") {
              const { value } = rest as { value: number };
              small.learningRate = value;
              anything<{ learningRate: number }>(large).learningRate = value;
            } else if (kind === "exchange") {
              // Each goes on from the other's state.
              const [fromSmall, fromLarge] = [await small.state(), await large.state()];
              small.dispose();
              large.dispose();
              small = lean.createOptimizer(compiled(anything<never>(settings)), own);
              large = createOptimizer(rule.specify(settings), whole);
              small.restore(fromLarge);
              large.restore(fromSmall);
            } else {
              const { which, inTensors } = rest as { which: number; inTensors: boolean };
              const arrays: Record<string, Values> = {};
              if (which & 1) arrays.a = numbers(5, t + 10);
              if (which & 2) arrays.b = numbers(3, t + 20);
              large.step(arrays);
              if (inTensors) {
                const tensors = Object.entries(arrays).map(([key, values]) => {
                  small.gradient(key).write(values);
                  return [key, small.gradient(key)];
                });
                small.step(Object.fromEntries(tensors));
              } else small.step(arrays);
            }
          }
          for (const key of ["a", "b"] as const)
            expect(bits(await own[key].read())).toEqual(bits(await whole[key].read()));
          expect(await small.state()).toEqual(await large.state());
          expect(small.iterations).toBe(large.iterations);
        },
      ),
      { numRuns: 8 },
    );
  });
});
