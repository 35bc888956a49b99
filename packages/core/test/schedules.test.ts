import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import {
  adam,
  constant,
  cosineDecay,
  cosineDecayRestarts,
  createOptimizer,
  cyclical,
  exponentialDecay,
  inverseTimeDecay,
  joinSchedules,
  linear,
  oneCycle,
  piecewiseConstant,
  polynomialDecay,
  sgd,
  warmup,
  warmupStableDecay,
  type Schedule,
} from "../src/index.js";
import { oracle, reference } from "../src/reference.js";
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

describe("a hyperparameter on a schedule", () => {
  /** The parameter's moves in these steps with a gradient of 1. */
  async function moves(
    spec: Parameters<typeof createOptimizer>[0],
    steps: number,
  ): Promise<number[]> {
    const p = oracle().tensor([1]);
    const optimizer = createOptimizer(spec, { p });
    const found: number[] = [];
    let before = 0;
    for (let step = 0; step < steps; step += 1) {
      optimizer.step({ p: Float64Array.of(1) });
      const [now] = await p.read();
      found.push(before - now);
      before = now;
    }
    return found;
  }

  test("has the value of its step, the first of which is 0", async () => {
    expect(await moves(sgd({ learningRate: linear(1, 0, 4) }), 6)).toEqual([
      1, 0.75, 0.5, 0.25, 0, 0,
    ]);
    const inverse = await moves(sgd({ learningRate: (step) => 1 / (step + 1) }), 3);
    inverse.forEach((move, step) => expect(move).toBeCloseTo(1 / (step + 1), 15));
  });

  test("gives the steps of an optimizer whose hyperparameter is set before each", async () => {
    const backend = reference();
    const p = backend.tensor([3], [1, 2, 3]);
    const q = backend.tensor([3], [1, 2, 3]);
    const schedule = warmup(3, cosineDecay(0.1, 5));
    const scheduled = createOptimizer(
      adam({ learningRate: schedule, beta2: linear(0.9, 0.99, 5) }),
      { p },
    );
    const set = createOptimizer(adam(), { q });
    for (let step = 0; step < 9; step += 1) {
      set.learningRate = schedule.valueAt(step);
      set.beta2 = linear(0.9, 0.99, 5).valueAt(step);
      expect([scheduled.learningRate, scheduled.beta2]).toEqual([set.learningRate, set.beta2]);
      const g = Float32Array.of(step - 3, 1, 0.1 * step);
      scheduled.step({ p: g });
      set.step({ q: g });
    }
    expect(await p.read()).toEqual(await q.read());
  });

  test("goes by the steps of the optimizer in a group that is due less often, and in one with a rule", async () => {
    const backend = oracle();
    const [a, b, c] = ["a", "b", "c"].map(() => backend.tensor([1]));
    const optimizer = createOptimizer(
      sgd({ learningRate: linear(4, 0, 4) }),
      { a, b, c },
      {
        groups: [
          { match: "b", every: 2 },
          { match: "c", rule: sgd({ learningRate: linear(8, 0, 4) }) },
        ],
      },
    );
    const g = Float64Array.of(1);
    for (let step = 0; step < 4; step += 1) optimizer.step({ a: g, b: g, c: g });
    const values = await Promise.all([a, b, c].map(async (p) => (await p.read())[0]));
    expect(values).toEqual([-10, -4, -20]);
  });

  test("set to a number, follows the schedule no longer", async () => {
    const p = oracle().tensor([1]);
    const optimizer = createOptimizer(sgd({ learningRate: linear(1, 0, 2) }), { p });
    optimizer.learningRate = 0.25;
    for (let step = 0; step < 3; step += 1) optimizer.step({ p: Float64Array.of(1) });
    expect((await p.read())[0]).toBe(-0.75);
    expect(optimizer.config().settings["learningRate"]).toBe(0.25);
  });

  test("outside its range is refused before anything changes", async () => {
    const p = reference().tensor([1]);
    const optimizer = createOptimizer(sgd({ learningRate: linear(1, -1, 2) }), { p });
    const g = { p: Float32Array.of(1) };
    optimizer.step(g);
    optimizer.step(g);
    const before = await p.read();
    const failure = failureOf(() => optimizer.step(g));
    expect(failure.code).toBe("INVALID_HYPERPARAMETER");
    expect(failure.message).toContain("learningRate is -1");
    expect(optimizer.iterations).toBe(2);
    expect(await p.read()).toEqual(before);
    expect(
      failureOf(() => createOptimizer(sgd({ momentum: () => Number.NaN }), { p }).step(g)).code,
    ).toBe("INVALID_HYPERPARAMETER");
  });

  test("a run that is stopped and goes on gives the bits of one that is not", async () => {
    const make = () => {
      const p = reference().tensor([4], [1, 2, 3, 4]);
      const spec = adam({
        learningRate: warmup(2, cosineDecay(0.1, 6)),
        weightDecay: linear(0.1, 0, 4),
      });
      return { p, optimizer: createOptimizer(spec, { p }) };
    };
    const step = ({ optimizer }: ReturnType<typeof make>, i: number) =>
      optimizer.step({ p: Float32Array.of(i, -1, 0.5, 2) });
    const whole = make();
    const first = make();
    for (let i = 0; i < 6; i += 1) {
      step(whole, i);
      if (i < 3) step(first, i);
    }
    const second = make();
    second.p.write(await first.p.read());
    second.optimizer.restore(JSON.parse(JSON.stringify(await first.optimizer.state())));
    for (let i = 3; i < 6; i += 1) step(second, i);
    expect(await second.p.read()).toEqual(await whole.p.read());
  });

  test("a configuration makes it again", () => {
    const p = reference().tensor([1]);
    const spec = adam({ learningRate: warmup(2, cosineDecay(0.1, 6)) });
    const optimizer = createOptimizer(
      spec,
      { p },
      { groups: [{ match: "p", weightDecay: linear(0.1, 0, 4) }] },
    );
    const config = JSON.parse(JSON.stringify(optimizer.config()));
    const again = createOptimizer(optimizerByName(config), { p });
    expect(again.config()).toEqual(optimizer.config());
    expect(again.groups[0]).toMatchObject({ weightDecay: 0.1 });
  });

  test("another schedule than that of the state is refused, unless the code's is asked for", async () => {
    const p = reference().tensor([1]);
    const planned = createOptimizer(sgd({ learningRate: cosineDecay(1, 10) }), { p });
    planned.step({ p: Float32Array.of(1) });
    const state = await planned.state();
    const longer = createOptimizer(sgd({ learningRate: cosineDecay(1, 20) }), { p });
    const number = createOptimizer(sgd({ learningRate: 0.5 }), { p });
    for (const optimizer of [longer, number]) {
      const failure = failureOf(() => optimizer.restore(state));
      expect(failure.code).toBe("STATE_MISMATCH");
      expect(failure.message).toContain(
        'hyperparameters.learningRate is the schedule cosine-decay {"initial":1,"decaySteps":10}',
      );
      optimizer.restore(state, { schedules: "code" });
      expect(optimizer.iterations).toBe(1);
    }
    expect(longer.learningRate).toBe(cosineDecay(1, 20).valueAt(1));
    expect(number.learningRate).toBe(0.5);
    expect(failureOf(() => planned.restore(state, { schedule: "code" } as never)).code).toBe(
      "UNKNOWN_OPTION",
    );
  });

  test("data in place of a schedule is refused", () => {
    const data = structuredClone(linear(1, 0, 2)) as never;
    expect(failureOf(() => sgd({ learningRate: data })).code).toBe("INVALID_HYPERPARAMETER");
    expect(failureOf(() => scheduleFromData({ schedule: "function", options: {} })).code).toBe(
      "UNSUPPORTED",
    );
  });
});
