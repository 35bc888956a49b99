import { describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import { adam, cosineDecay, createOptimizer, linear, sgd, warmup } from "../src/index.js";
import { oracle, reference } from "../src/reference.js";
import { scheduleFromData } from "../src/schedules/from-data.js";
import { failureOf } from "./support.js";

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
