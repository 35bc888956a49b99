import { cosineDecay, oneCycle, type Schedule } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { describe, expect, test } from "vitest";
import { meaningOf, optionMeaningOf } from "../../src/controls/hyperparameter-meanings.js";
import {
  allowedValue,
  positionOf,
  positions,
  sliderRangeOf,
  valueAt,
} from "../../src/controls/hyperparameter-range.js";
import { symbolOf } from "../../src/reference/mathematics/symbols.js";
import { initialSchedule, scheduleKinds, scheduleOf } from "../../src/controls/schedule-kinds.js";

const all = [...rules, ...stages];

describe.each(all.map((rule) => [rule.name, rule] as const))("%s", (_, rule) => {
  test("every hyperparameter and option has a meaning", () => {
    const missing = [
      ...Object.keys(rule.hyperparameters).filter(
        (name) => meaningOf(name, rule.name) === undefined,
      ),
      ...Object.keys(rule.options).filter((name) => optionMeaningOf(name) === undefined),
    ];
    expect(missing).toEqual([]);
  });

  test("sliders give values that the rule takes, in ascending order", () => {
    for (const [name, allowed] of Object.entries(rule.hyperparameters)) {
      const range = sliderRangeOf(name, allowed);
      const values = Array.from({ length: positions + 1 }, (_one, i) => valueAt(i, range));
      for (const value of [values[0], values[200], values.at(-1)!])
        expect(() => rule.specify({ [name]: value })).not.toThrow();
      expect(values).toEqual([...values].sort((a, b) => a - b));
    }
  });
});

test("the demos write hyperparameters with the letters of the reference", () => {
  const letters: Readonly<Record<string, string>> = {
    "\\alpha": "α",
    "\\beta": "β",
    "\\delta": "δ",
    "\\eta": "η",
    "\\kappa": "κ",
    "\\lambda": "λ",
    "\\mu": "μ",
    "\\rho": "ρ",
    "\\tau": "τ",
    "\\varepsilon": "ε",
  };
  const names = new Set(all.flatMap((rule) => Object.keys(rule.hyperparameters)));
  let compared = 0;
  for (const name of names) {
    const symbol = meaningOf(name)?.symbol;
    if (symbol === undefined) continue;
    const { base } = symbolOf(name);
    expect([name, symbol[0]]).toEqual([name, letters[base] ?? base]);
    compared += 1;
  }
  expect(compared).toBeGreaterThan(20);
});

test("the meanings are the comments of core, each on one line", () => {
  expect(meaningOf("dampening")?.text).toBe(
    "How much of each new gradient is left out of the velocity, in PyTorch's form of momentum.",
  );
  expect(meaningOf("beta1")).toEqual({
    symbol: "β₁",
    text: "How much of the mean of the gradients is kept per step: about 1 / (1 − β₁) gradients count. More smooths noise and builds up momentum.",
  });
  expect(meaningOf("beta1", "lion")?.text).toMatch(/^The weight of the mean/);
});

test("a position is found again from its value", () => {
  const ranges = [
    { min: 1e-5, max: 10, scale: "log" },
    { min: 0, max: 0.9999, scale: "decay" },
    { min: 1e-4, max: 1, scale: "zero-log" },
    { min: -1, max: 3, scale: "linear" },
  ] as const;
  for (const range of ranges)
    for (const position of [0, 17, 200, positions])
      expect(Math.abs(positionOf(valueAt(position, range), range) - position)).toBeLessThan(2);
});

test("a decay rate of 0.9 is a quarter, 0.99 half of the way to 0.9999", () => {
  const range = { min: 0, max: 0.9999, scale: "decay" } as const;
  expect([0, 100, 200, 300, 400].map((position) => valueAt(position, range))).toEqual([
    0, 0.9, 0.99, 0.999, 0.9999,
  ]);
});

test("a value outside of what the rule takes becomes the nearest one", () => {
  expect(allowedValue(-1, { default: 0, min: 0 })).toBe(0);
  expect(allowedValue(2, { default: 0, min: 0, max: 1 })).toBe(1);
  expect(allowedValue(1, { default: 0, min: 0, below: 1 })).toBeLessThan(1);
});

describe("schedules", () => {
  test.each(scheduleKinds.map((kind) => [kind.name, kind] as const))(
    "%s: its first options make a schedule of its name, with finite values",
    (name, kind) => {
      const schedule = scheduleOf(initialSchedule(kind, 0.1, 200));
      expect(schedule.schedule).toBe(name);
      const values = valuesOf(schedule, 200);
      expect(values.every((value) => Number.isFinite(value) && value >= 0 && value <= 0.1)).toBe(
        true,
      );
      expect(Math.max(...values)).toBeCloseTo(0.1, 2);
    },
  );

  test("values are those of core's functions", () => {
    const cosine = {
      schedule: "cosine-decay",
      options: { initial: 0.2, decaySteps: 50, alpha: 0.1 },
    };
    expect(valuesOf(scheduleOf(cosine), 60)).toEqual(
      valuesOf(cosineDecay(0.2, 50, { alpha: 0.1 }), 60),
    );
    const cycle = { schedule: "one-cycle", options: { highest: 1, steps: 40, divFactor: 10 } };
    expect(valuesOf(scheduleOf(cycle), 40)).toEqual(
      valuesOf(oneCycle(1, 40, { divFactor: 10 }), 40),
    );
  });

  test("an unknown schedule and a wrong option are errors", () => {
    expect(() => scheduleOf({ schedule: "sine", options: {} })).toThrow("There is no schedule");
    expect(() =>
      scheduleOf({ schedule: "linear", options: { from: 0, to: 1, steps: 0.5 } }),
    ).toThrow("positive integer");
  });
});

function valuesOf(schedule: Schedule, steps: number): readonly number[] {
  return Array.from({ length: steps }, (_, step) => schedule.valueAt(step));
}
