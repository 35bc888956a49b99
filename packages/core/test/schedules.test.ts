import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  constant,
  cosineDecay,
  cosineDecayRestarts,
  cyclical,
  exponentialDecay,
  inverseTimeDecay,
  joinSchedules,
  linear,
  oneCycle,
  piecewiseConstant,
  polynomialDecay,
  warmup,
  warmupStableDecay,
  type Schedule,
} from "../src/index.js";
import * as factories from "../src/schedules/factories.js";
import { scheduleFromData } from "../src/schedules/from-data.js";
import { anything, failureOf } from "./support.js";

/** The rates of PyTorch 2's schedulers, step by step. */
const torch = JSON.parse(
  readFileSync(new URL("fixtures/torch-schedules.json", import.meta.url), "utf8"),
) as Record<string, number[]>;

function valuesOf(schedule: Schedule, count: number): number[] {
  return Array.from({ length: count }, (_, step) => schedule.valueAt(step));
}

const samples: Record<string, Schedule> = {
  constant: constant(3),
  linear: linear(1, 0, 4),
  "exponential decay": exponentialDecay(1, 2, 0.5, { staircase: true }),
  "inverse-time decay": inverseTimeDecay(1, 2, 0.5),
  "polynomial decay": polynomialDecay(1, 4, { cycle: true, power: 2 }),
  "piecewise constant": piecewiseConstant([2, 4], [3, 2, 1]),
  "cosine decay": cosineDecay(0, 10, { warmupTarget: 1, warmupSteps: 3 }),
  "cosine decay with restarts": cosineDecayRestarts(1, 3, { heightFactor: 0.5 }),
  "one cycle": oneCycle(1, 10, { shape: "linear" }),
  cyclical: cyclical(0, 1, 3, { mode: "halved" }),
  "warm-up, stable, decay": warmupStableDecay(1, { warmupSteps: 2, stableSteps: 3, decaySteps: 4 }),
  "warm-up": warmup(3, cosineDecay(1, 5), 0.1),
  joined: joinSchedules([linear(0, 1, 2), 2], [1, 3], exponentialDecay(1, 1, 0.5)),
};

describe("values", () => {
  test("oneCycle with one step of warm-up begins at the highest value", () => {
    // PyTorch divides by 0 here.
    for (const shape of ["cosine", "linear"] as const) {
      const values = valuesOf(oneCycle(0.5, 10, { warmupFraction: 0.1, shape }), 10);
      expect(values[0]).toBe(0.5);
      for (let step = 1; step < 10; step += 1) expect(values[step]).toBeLessThan(values[step - 1]);
      expect(values[9]).toBeCloseTo(0.5 / 25 / 1e4, 12);
      expect(oneCycle(0.5, 1, { warmupFraction: 1, shape }).valueAt(0)).toBe(0.5);
    }
  });

  test.each([
    ["oneCycle cosine", oneCycle(0.4, 10)],
    [
      "oneCycle linear",
      oneCycle(0.4, 12, {
        warmupFraction: 0.25,
        shape: "linear",
        divFactor: 10,
        finalDivFactor: 100,
      }),
    ],
    ["cyclical triangular", cyclical(0.1, 0.5, 4)],
    ["cyclical halved", cyclical(0.1, 0.5, 3, { mode: "halved" })],
    ["cyclical exponential", cyclical(0.1, 0.5, 3, { mode: "exponential", decayRate: 0.9 })],
  ])("%s: those of PyTorch", (name, schedule) => {
    const expected = torch[name];
    valuesOf(schedule, expected.length).forEach((value, step) => {
      expect(Math.abs(value - expected[step])).toBeLessThan(1e-15);
    });
  });

  test.each<[string, Schedule, number[]]>([
    ["linear", linear(1, 0, 4), [1, 0.75, 0.5, 0.25, 0, 0]],
    ["constant", constant(2), [2, 2]],
    ["warmup to a number", warmup(4, 8), [0, 2, 4, 6, 8, 8]],
    // 0.7 + (0.1 − 0.7) is not 0.1.
    ["warmup from another value", warmup(2, 0.1, 0.7), [0.7, 0.39999999999999997, 0.1, 0.1]],
    ["warmup of a schedule", warmup(2, linear(4, 0, 4), 1), [1, 2.5, 4, 3, 2, 1, 0]],
    [
      "joinSchedules",
      joinSchedules([linear(0, 1, 2), 2], [5, 1], linear(2, 1, 2)),
      [0, 0.5, 5, 2, 1.5, 1],
    ],
    [
      "oneCycle that grows in no step",
      oneCycle(4, 5, { warmupFraction: 0.2, divFactor: 2, finalDivFactor: 2, shape: "linear" }),
      [4, 3.25, 2.5, 1.75, 1, 1],
    ],
    [
      "oneCycle that only grows",
      oneCycle(4, 5, { warmupFraction: 1, divFactor: 2, finalDivFactor: 2, shape: "linear" }),
      [2, 2.5, 3, 3.5, 4, 1],
    ],
    [
      "warmupStableDecay",
      warmupStableDecay(4, { warmupSteps: 2, stableSteps: 2, decaySteps: 4, shape: "sqrt" }),
      [
        0,
        2,
        4,
        4,
        4,
        4 * (1 - Math.sqrt(0.25)),
        4 * (1 - Math.sqrt(0.5)),
        4 * (1 - Math.sqrt(0.75)),
        0,
        0,
      ],
    ],
  ])("%s", (_, schedule, expected) => {
    expect(valuesOf(schedule, expected.length)).toEqual(expected);
  });

  test("every schedule of the package has a sample here", () => {
    const kinds = new Set(Object.values(samples).map(({ schedule }) => schedule));
    expect(kinds.size).toBe(Object.keys(factories).length);
  });

  test.each(Object.entries(samples))("%s: plain data makes it again", (_, schedule) => {
    for (const data of [structuredClone(schedule), JSON.parse(JSON.stringify(schedule))]) {
      expect(Object.keys(data)).toEqual(["schedule", "options"]);
      const again = scheduleFromData(data);
      expect(again).toEqual(schedule);
      expect(valuesOf(again, 30)).toEqual(valuesOf(schedule, 30));
    }
  });

  test("an option that is undefined is not in the data", () => {
    const pairs = [
      [cosineDecay(1, 9, { alpha: undefined, warmupTarget: undefined }), cosineDecay(1, 9)],
      [exponentialDecay(1, 9, 0.5, { staircase: undefined }), exponentialDecay(1, 9, 0.5)],
      [oneCycle(1, 9, { divFactor: undefined, shape: undefined }), oneCycle(1, 9)],
      [cyclical(1, 2, 9, { mode: undefined }), cyclical(1, 2, 9)],
    ];
    for (const [one, other] of pairs) expect(one.options).toStrictEqual(other.options);
  });

  test("cosine decay with restarts has the height of each period at its first step", () => {
    for (const periodFactor of [1, 1.5, 2, 3, 4, 10])
      for (let start = 0, period = 0; start < 1e5; start += periodFactor ** period, period += 1) {
        if (period > 100) break;
        const schedule = cosineDecayRestarts(1, 1024, { periodFactor, heightFactor: 0.75 });
        const step = start * 1024;
        if (!Number.isInteger(step)) break;
        expect([periodFactor, period, schedule.valueAt(step)]).toEqual([
          periodFactor,
          period,
          0.75 ** period,
        ]);
      }
  });

  test("cosine decay stays between its ends and falls", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (steps, alpha) => {
          const values = valuesOf(cosineDecay(1, steps, { alpha }), steps + 3);
          expect(values[0]).toBe(1);
          expect(values.at(-1)).toBeCloseTo(alpha, 12);
          for (let i = 1; i < values.length; i += 1)
            expect(values[i]).toBeLessThanOrEqual(values[i - 1]);
        },
      ),
    );
  });

  test.each([
    ["no steps", () => linear(1, 0, 0)],
    ["a fraction of steps", () => cosineDecay(1, 2.5)],
    ["not a number", () => exponentialDecay(Number.NaN, 2, 0.5)],
    ["text", () => constant("1" as never)],
    ["values that are too few", () => piecewiseConstant([1, 2], [1, 2])],
    ["boundaries that fall", () => piecewiseConstant([2, 1], [1, 2, 3])],
    ["another shape", () => oneCycle(1, 10, { shape: "square" as never })],
    ["a part above 1", () => oneCycle(1, 10, { warmupFraction: 1.5 })],
    ["a part below 0", () => oneCycle(1, 10, { warmupFraction: -0.1 })],
    ["a first value that is infinite", () => oneCycle(1, 10, { divFactor: 0 })],
    ["a last value that is negative", () => oneCycle(1, 10, { finalDivFactor: -1 })],
    ["periods that become shorter", () => cosineDecayRestarts(1, 10, { periodFactor: 0.5 })],
    ["another mode", () => cyclical(1, 2, 3, { mode: "x" as never })],
    ["boundaries that are equal", () => piecewiseConstant([2, 2], [1, 2, 3])],
    ["a boundary that is not finite", () => piecewiseConstant([Infinity], [1, 2])],
    ["a value that is not finite", () => piecewiseConstant([1], [1, Number.NaN])],
    [
      "boundaries that are a typed array",
      () => piecewiseConstant(anything(Uint32Array.of(1)), [1, 2]),
    ],
    ["no values", () => piecewiseConstant([], anything(undefined))],
    ["warm-up from nothing", () => warmup(3, 1, Number.NaN)],
    ["a part that is missing", () => joinSchedules(...anything<[number]>([undefined, 2]))],
    ["warm-up of nothing", () => warmup(3, undefined as never)],
    ["a part without a length", () => joinSchedules([1] as never, 2)],
    ["no parts", () => joinSchedules(...([] as never))],
    ["no options", () => warmupStableDecay(1, { warmupSteps: 1 } as never)],
    ["a constant of nothing", () => constant(undefined as never)],
    ["no last value", () => linear(1, undefined as never, 3)],
    ["no first value", () => cosineDecay(undefined as never, 3)],
    ["no rate of decay", () => exponentialDecay(1, 3, undefined as never)],
    ["no highest value", () => oneCycle(undefined as never, 10)],
    ["no height", () => cyclical(1, undefined as never, 10)],
  ])("%s is refused", (_, make) => {
    expect(failureOf(make).code).toBe("INVALID_HYPERPARAMETER");
  });
});

test.each(Object.entries(samples))("%s has no value at what is not a number", (_, schedule) => {
  for (const step of [undefined, null, 1n, "1", Symbol("s"), {}, [1]])
    expect(failureOf(() => schedule.valueAt(step as never))).toMatchObject({
      code: "INVALID_HYPERPARAMETER",
      message: expect.stringMatching(/: step is .*; expected a finite number\.$/) as string,
    });
});

describe("options of a schedule", () => {
  const makers: Record<string, (options: never) => Schedule> = {
    cosineDecay: (options) => cosineDecay(1, 10, options),
    cosineDecayRestarts: (options) => cosineDecayRestarts(1, 10, options),
    cyclical: (options) => cyclical(0, 1, 10, options),
    exponentialDecay: (options) => exponentialDecay(1, 10, 0.5, options),
    inverseTimeDecay: (options) => inverseTimeDecay(1, 10, 0.5, options),
    oneCycle: (options) => oneCycle(1, 10, options),
    polynomialDecay: (options) => polynomialDecay(1, 10, options),
    warmupStableDecay: (options) => warmupStableDecay(1, options),
  };

  test.each(Object.entries(makers))("%s: only those it has, by name", (name, make) => {
    // A number in their place is Keras's third argument, such as alpha.
    for (const options of [{ alhpa: 0.1 }, 0.1, true, "alpha", null, [0.1], new Map()]) {
      const { code, message } = failureOf(() => make(options as never));
      expect(code).toBe("UNKNOWN_OPTION");
      expect(message).toContain(name);
    }
  });

  test.each<[string, (value: never) => Schedule]>([
    ["staircase", (staircase) => exponentialDecay(1, 10, 0.5, { staircase })],
    ["staircase", (staircase) => inverseTimeDecay(1, 10, 0.5, { staircase })],
    ["cycle", (cycle) => polynomialDecay(1, 10, { cycle })],
  ])("%s is true or false", (name, make) => {
    for (const value of ["false", 0, 1, null, {}]) {
      const { code, message } = failureOf(() => make(value as never));
      expect([code, message]).toEqual(["INVALID_HYPERPARAMETER", expect.stringContaining(name)]);
    }
  });
});
