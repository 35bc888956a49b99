import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  adam,
  createOptimizer,
  earlyStopping,
  linear,
  muonWithAdamw,
  reduceOnPlateau,
  sgd,
  type EarlyStoppingOptions,
  type MonitorMode,
  type PlateauState,
  type ReduceOnPlateauOptions,
} from "../src/index.js";
import { oracle, reference } from "../src/reference.js";
import { anything, codeOf } from "./support.js";

type Encoded = number | string | null;

/** What Keras's callbacks did at each epoch; NaN and infinity are texts. */
interface KerasCase<T> {
  readonly options: Readonly<Record<string, number | string>>;
  readonly values: readonly Encoded[];
  readonly expected: readonly T[];
}

const keras = JSON.parse(
  readFileSync(new URL("fixtures/keras-monitors.json", import.meta.url), "utf8"),
) as {
  /** Learning rate, best value, wait and cooldown. */
  readonly reduceOnPlateau: readonly KerasCase<[number, Encoded, number, number]>[];
  /** Whether it stops, best value, wait and best epoch. */
  readonly earlyStopping: readonly (KerasCase<[boolean, Encoded, number, number]> & {
    readonly restoredEpoch: number | null;
  })[];
};

const decoded = (value: Encoded): number | null =>
  typeof value === "string"
    ? Number(value.replace("nan", "NaN").replace("inf", "Infinity"))
    : value;

/** Keras's arguments in camelCase. */
function camelCase(options: KerasCase<unknown>["options"]): object {
  const names: Record<string, string> = { min_lr: "minLearningRate" };
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [
      names[key] ?? key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

function oneWeight(spec = sgd({ learningRate: 0.1 })) {
  return createOptimizer(spec, { w: oracle().tensor([1]) });
}

describe("reduceOnPlateau", () => {
  test.each(keras.reduceOnPlateau.map((one, i) => [i, one.options, one] as const))(
    "Keras's numbers, case %i: %j",
    (_, __, { options, values, expected }) => {
      const optimizer = oneWeight();
      const plateau = reduceOnPlateau(optimizer, camelCase(options));
      values.forEach((value, epoch) => {
        const before = optimizer.learningRate;
        const isReduced = plateau.update(decoded(value)!);
        const { best, wait, cooldown } = plateau.state();
        const [rate, ...rest] = expected[epoch];
        expect([best, wait, cooldown]).toEqual([decoded(rest[0]), rest[1], rest[2]]);
        expect(optimizer.learningRate).toBe(rate);
        expect(isReduced).toBe(optimizer.learningRate !== before);
      });
    },
  );

  test("covers reductions, cooldowns and the lowest rate", () => {
    const all = keras.reduceOnPlateau.flatMap(({ expected }) => expected);
    expect(all.some(([rate]) => rate === 2 ** -13)).toBe(true);
    expect(all.some(([, , , cooldown]) => cooldown > 1)).toBe(true);
    expect(new Set(all.map(([rate]) => rate)).size).toBeGreaterThan(20);
  });

  test("goes on from a state, through JSON", () => {
    const { options, values } = keras.reduceOnPlateau[1];
    const straight = oneWeight();
    const monitor = reduceOnPlateau(straight, camelCase(options));
    const resumed = oneWeight();
    let later = reduceOnPlateau(resumed, camelCase(options));
    for (const value of values) {
      monitor.update(decoded(value)!);
      const state = JSON.parse(JSON.stringify(later.state())) as PlateauState;
      later = reduceOnPlateau(resumed, camelCase(options));
      later.restore(state);
      later.update(decoded(value)!);
      expect([resumed.learningRate, later.state()]).toEqual([
        straight.learningRate,
        monitor.state(),
      ]);
    }
    expect(straight.learningRate).toBeLessThan(0.1);
  });

  test("reduces the rates of groups that have their own, and no other", () => {
    const backend = reference();
    const tensors = Object.fromEntries(["a", "b", "c"].map((name) => [name, backend.tensor([1])]));
    const optimizer = createOptimizer(adam({ learningRate: 1 }), tensors, {
      groups: [
        { match: "a", learningRate: 4 },
        { match: "b", beta1: 0.5 },
        { match: "c", rule: sgd({ learningRate: 8 }) },
      ],
    });
    const plateau = reduceOnPlateau(optimizer, { patience: 0, factor: 0.5, minLearningRate: 0.75 });
    plateau.update(1);
    expect(plateau.update(1)).toBe(true);
    expect(optimizer.groups.map(({ learningRate }) => learningRate)).toEqual([2, 0.75, 4]);
    optimizer.learningRate = 3;
    expect(optimizer.groups[1].learningRate).toBe(3);
    const mixed = createOptimizer(muonWithAdamw({ adamw: { learningRate: 2 } }), {
      w: backend.tensor([2, 2]),
      b: backend.tensor([2]),
    });
    const ofBoth = reduceOnPlateau(mixed, { patience: 0, factor: 0.5 });
    ofBoth.update(1);
    ofBoth.update(1);
    expect([mixed.learningRate, mixed.groups[0].learningRate]).toEqual([0.0005, 1]);
  });

  test.each<[string, ReduceOnPlateauOptions]>([
    ["INVALID_HYPERPARAMETER", { factor: 1 }],
    ["INVALID_HYPERPARAMETER", { factor: -0.1 }],
    ["INVALID_HYPERPARAMETER", { patience: 1.5 }],
    ["INVALID_HYPERPARAMETER", { cooldown: -1 }],
    ["INVALID_HYPERPARAMETER", { minDelta: Number.NaN }],
    ["INVALID_HYPERPARAMETER", { mode: anything<MonitorMode>("auto") }],
    ["UNKNOWN_OPTION", anything({ minLr: 0 })],
  ])("%s for %j", (code, options) => {
    expect(codeOf(() => reduceOnPlateau(oneWeight(), options))).toBe(code);
  });

  test("refuses rates that follow a schedule, and what is no number", () => {
    const scheduled = oneWeight(sgd({ learningRate: linear(1, 0, 10) }));
    expect(codeOf(() => reduceOnPlateau(scheduled))).toBe("UNSUPPORTED");
    const groups = [{ match: "w", learningRate: linear(1, 0, 10) }];
    const inGroup = createOptimizer(sgd(), { w: reference().tensor([1]) }, { groups });
    expect(codeOf(() => reduceOnPlateau(inGroup))).toBe("UNSUPPORTED");
    const optimizer = oneWeight();
    const plateau = reduceOnPlateau(optimizer, { patience: 0 });
    expect(codeOf(() => plateau.update(anything("1")))).toBe("INVALID_HYPERPARAMETER");
    plateau.update(1);
    optimizer.learningRate = anything(linear(1, 0, 10));
    expect(codeOf(() => plateau.update(1))).toBe("UNSUPPORTED");
    expect(plateau.state()).toEqual({ best: 1, wait: 0, cooldown: 0 });
    expect(codeOf(() => plateau.restore(anything({ best: 1, wait: -1, cooldown: 0 })))).toBe(
      "STATE_MISMATCH",
    );
  });
});

describe("earlyStopping", () => {
  test.each<EarlyStoppingOptions>([
    { minDelta: Number.NaN },
    { minDelta: anything("1") },
    { baseline: Number.NaN },
    { patience: -1 },
    { startFromEpoch: 0.5 },
    { mode: anything<MonitorMode>("auto") },
  ])("INVALID_HYPERPARAMETER for %j", (options) => {
    expect(codeOf(() => earlyStopping(options))).toBe("INVALID_HYPERPARAMETER");
  });

  const backend = reference();

  test.each(keras.earlyStopping.map((one, i) => [i, one.options, one] as const))(
    "Keras's decisions and weights, case %i: %j",
    async (_, __, { options, values, expected, restoredEpoch }) => {
      const w = backend.tensor([2]);
      const stopping = earlyStopping({ ...camelCase(options), parameters: { w } });
      for (const [epoch, [stops, best, wait, bestEpoch]] of expected.entries()) {
        w.write([epoch, epoch + 1]);
        expect(stopping.update(decoded(values[epoch])!)).toBe(stops);
        expect([stopping.best, stopping.bestEpoch]).toEqual([decoded(best), bestEpoch]);
        expect(await stopping.state()).toMatchObject({ wait, epochs: epoch + 1 });
      }
      if (restoredEpoch === null) return;
      stopping.restoreBestWeights();
      expect([...(await w.read())]).toEqual([restoredEpoch, restoredEpoch + 1]);
    },
  );

  test("goes on from a state, with the best weights", async () => {
    const options: EarlyStoppingOptions = { patience: 3 };
    const w = backend.tensor([3], [1, 2, 3]);
    const before = earlyStopping({ ...options, parameters: { w } });
    before.update(2);
    before.update(1);
    w.write([4, 5, 6]);
    before.update(3);
    const state = structuredClone(await before.state());
    const other = backend.tensor([3]);
    const after = earlyStopping({ ...options, parameters: { w: other } });
    after.restore(state);
    expect([after.update(2), after.update(2)]).toEqual([before.update(2), before.update(2)]);
    after.restoreBestWeights();
    expect([...(await other.read())]).toEqual([1, 2, 3]);
    expect(after.bestEpoch).toBe(1);
  });

  test("keeps the best weights of the last update, and puts them back after more steps", async () => {
    const w = backend.tensor([2], [1, 1]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    const stopping = earlyStopping({ patience: 1, parameters: { w } });
    for (const loss of [3, 2, 4]) {
      optimizer.step({ w: Float32Array.of(1, 1) });
      stopping.update(loss);
    }
    stopping.restoreBestWeights();
    expect([...(await w.read())]).toEqual([-1, -1]);
    stopping.dispose();
    expect(codeOf(() => stopping.restoreBestWeights())).toBe("DISPOSED");
  });

  test("after rows were moved, the best weights are those of the next improvement", async () => {
    const w = backend.tensor([2], [1, 2]);
    const optimizer = createOptimizer(sgd(), { w });
    const stopping = earlyStopping({ parameters: { w } });
    stopping.update(1);
    optimizer.rows().remap(Uint32Array.of(0, 1, 1));
    expect(codeOf(() => stopping.restoreBestWeights())).toBe("INVALID_SHAPE");
    stopping.update(0.5);
    w.write([0, 0, 0]);
    stopping.restoreBestWeights();
    expect([...(await w.read())]).toEqual([1, 2, 2]);
  });

  test("a state survives JSON, the best weights included", async () => {
    const w = backend.tensor([2], [1, 2]);
    const stopping = earlyStopping({ patience: 2, parameters: { w } });
    stopping.update(1);
    const state = await stopping.state();
    const listed = { ...state, bestWeights: { w: [1, 2] } };
    for (const saved of [
      JSON.parse(JSON.stringify(state)) as typeof state,
      anything<typeof state>(listed),
    ]) {
      w.write([5, 6]);
      const resumed = earlyStopping({ patience: 2, parameters: { w } });
      resumed.restore(saved);
      resumed.restoreBestWeights();
      expect([...(await w.read())]).toEqual([1, 2]);
      expect([resumed.update(3), resumed.update(3)]).toEqual([false, true]);
    }
  });

  test("a state in which JSON lost a value is refused, and nothing changes", async () => {
    const w = backend.tensor([2], [1, 2]);
    const stopping = earlyStopping({ parameters: { w } });
    stopping.update(1);
    const state = await stopping.state();
    const refused = (saved: unknown, message: RegExp): void => {
      expect(codeOf(() => stopping.restore(anything(saved)))).toBe("STATE_MISMATCH");
      expect(() => stopping.restore(anything(saved))).toThrow(message);
    };
    refused(
      { ...state, bestWeights: { w: [1, null] } },
      /bestWeights\.w\[1\] is null.*through JSON/,
    );
    refused({ ...state, bestWeights: { w: "12" } }, /bestWeights\.w is "12"/);
    refused({ ...state, best: null }, /JSON, which turns NaN and Infinity into null/);
    refused(Promise.resolve(state), /Pass what it resolves to/);
    expect(await stopping.state()).toEqual(state);
    const plateau = reduceOnPlateau(createOptimizer(sgd(), { w }));
    const lost = { best: null, wait: 1, cooldown: 0 };
    expect(() => plateau.restore(lost)).toThrow(/JSON, which turns NaN and Infinity into null/);
  });

  test("errors", async () => {
    const w = backend.tensor([2]);
    expect(codeOf(() => earlyStopping({ patience: -1 }))).toBe("INVALID_HYPERPARAMETER");
    expect(codeOf(() => earlyStopping(anything({ restoreBestWeights: true })))).toBe(
      "UNKNOWN_OPTION",
    );
    const { copy: _, ...rest } = { ...anything<object>({ name: "plain", compile: () => {} }) } as {
      copy?: unknown;
    };
    const uncopied = { ...w, backend: rest, memory: w.memory, size: 2, shape: [2], freed: false };
    expect(codeOf(() => earlyStopping({ parameters: { w: anything(uncopied) } }))).toBe(
      "UNSUPPORTED",
    );
    expect(codeOf(() => earlyStopping().restoreBestWeights())).toBe("UNSUPPORTED");
    const stopping = earlyStopping({ parameters: { w } });
    expect(codeOf(() => stopping.restoreBestWeights())).toBe("UNSUPPORTED");
    stopping.update(1);
    const state = await stopping.state();
    const wrong = { ...state, bestWeights: { w: new Float32Array(3) } };
    expect(codeOf(() => stopping.restore(wrong))).toBe("STATE_MISMATCH");
    expect(codeOf(() => stopping.restore(anything(null)))).toBe("STATE_MISMATCH");
    expect(codeOf(() => stopping.update(anything(null)))).toBe("INVALID_HYPERPARAMETER");
    expect(await stopping.state()).toEqual(state);
  });
});
