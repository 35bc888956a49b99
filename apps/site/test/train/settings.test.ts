import { scheduleOf } from "../../src/controls/schedule-kinds.js";
import { describe, expect, test } from "vitest";
import { comparisons, highestRate } from "../../src/train/comparisons.js";
import {
  defaultSettings,
  totalBatches,
  withLength,
  withOptimizer,
  type RunSettings,
} from "../../src/train/run-settings.js";
import { missingRuns, mostRuns, runsFromUrl, runsToUrl } from "../../src/train/url-runs.js";
import { settingsFromUrl, settingsToUrl } from "../../src/train/url-settings.js";

/** As a query string carries it. */
function throughUrl(settings: RunSettings): RunSettings {
  const given = Object.entries(settingsToUrl(settings)).filter((entry) => entry[1] !== undefined);
  const query = new URLSearchParams(given as [string, string][]).toString();
  return settingsFromUrl(Object.fromEntries(new URLSearchParams(query)));
}

describe("settings in a query string", () => {
  const piecewise = {
    schedule: "piecewise-constant",
    options: { boundaries: [10, 20], values: [0.1, 0.01, 0.001] },
  };
  test.each<[string, RunSettings]>([
    ["the defaults", defaultSettings],
    [
      "another optimizer and length",
      withLength(withOptimizer(defaultSettings, "muon"), { epochs: 7, batchSize: 100 }),
    ],
    [
      "a constant rate, an option, a stage",
      {
        ...defaultSettings,
        backend: "webgpu",
        rule: { learningRate: 0.01, beta1: 0.5, amsgrad: true, epsilonMode: "keras" },
        clip: 1,
        ema: 0.99,
        seed: 0,
      },
    ],
    ["a schedule of lists", { ...defaultSettings, rule: { learningRate: piecewise } }],
  ])("come back: %s", (_, settings) => {
    expect(throughUrl(settings)).toEqual(settings);
  });

  test("are empty for the defaults", () => {
    expect(Object.values(settingsToUrl(defaultSettings)).filter(Boolean)).toEqual([]);
  });

  test.each([
    { optimizer: "sgdd", backend: "cuda", epochs: "0", batch: "9999", seed: "-1" },
    { learningRate: "-1", beta1: "1.5", beta2: "NaN", epsilonMode: "other", amsgrad: "1" },
    { learningRate: '{"schedule":"nothing","options":{}}', clip: "-1", ema: "1" },
    { learningRate: '{"schedule":"linear","options":{"from":"a"}}', clip: "x", ema: "" + NaN },
    { learningRate: "[1,", momentum: "0.9", epochs: "1e3" },
    { learningRate: "9".repeat(400), clip: "", ema: "" },
  ])("that are not valid are left out: %o", (state) => {
    expect(settingsFromUrl(state)).toEqual(defaultSettings);
  });
});

describe("runs in a query string", () => {
  const runs = [
    { name: "Adam, 0.003 & more", settings: defaultSettings },
    { name: "β₁ = ½", settings: { ...withOptimizer(defaultSettings, "lion"), seed: 7, clip: 1 } },
  ];
  const through = (text: string) =>
    new URLSearchParams(new URLSearchParams({ runs: text }).toString()).get("runs")!;

  test("come back with their names", () => {
    expect(runsFromUrl(through(runsToUrl(runs)!))).toEqual(runs);
    expect(runsToUrl([])).toBeUndefined();
  });

  test("that are not valid are left out", () => {
    for (const text of [undefined, "", "{", "{}", "1", '[1,null,{}, {"name":" "},{"name":5}]'])
      expect(runsFromUrl(text)).toEqual([]);
    expect(runsFromUrl('[{"name":"x","optimizer":"nothing","seed":"-1","epochs":3}]')).toEqual([
      { name: "x", settings: defaultSettings },
    ]);
    const many = Array.from({ length: 100 }, () => runs[0]);
    expect(runsFromUrl(JSON.stringify(many))).toHaveLength(mostRuns);
    expect(runsFromUrl(runsToUrl(many))).toHaveLength(mostRuns);
  });

  test("are missing where no run has the same settings", () => {
    const renamed = { ...runs[0], name: "mine" };
    expect(missingRuns(runs, [renamed])).toEqual([runs[1]]);
    expect(missingRuns(runs, [])).toEqual(runs);
  });
});

describe("the length of a run", () => {
  test("changes its schedule in proportion, and not its values", () => {
    const longer = withLength(defaultSettings, { epochs: 8, batchSize: 32 });
    expect(totalBatches(longer)).toBe(2000);
    expect(longer.rule).toEqual({
      learningRate: {
        schedule: "cosine-decay",
        options: expect.objectContaining({
          initial: 0.003,
          decaySteps: 2000,
          alpha: 0.02,
        }) as object,
      },
    });
    const steps = {
      schedule: "piecewise-constant",
      options: { boundaries: [250, 375], values: [1, 0.1, 0.01] },
    };
    const half = withLength({ ...defaultSettings, rule: { learningRate: steps } }, { epochs: 2 });
    expect(half.rule.learningRate).toEqual({
      schedule: "piecewise-constant",
      options: { boundaries: [125, 188], values: [1, 0.1, 0.01] },
    });
  });
});

describe("a comparison", () => {
  const runsOf = (name: string, settings = defaultSettings) =>
    comparisons.find((one) => one.name === name)!.runs(settings, ["wasm", "cpu-js"]);

  test("of rates keeps the schedule", () => {
    const runs = runsOf("rates");
    expect(runs.map(({ settings }) => highestRate(settings))).toEqual([0.001, 0.003, 0.009]);
    const [, , highest] = runs;
    const { learningRate } = highest.settings.rule;
    const schedule = scheduleOf(learningRate as Exclude<typeof learningRate, number>);
    expect(schedule.valueAt(250)).toBeCloseTo((0.009 * 1.02) / 2, 12);
  });

  test("of schedules has the same highest rate", () => {
    const runs = runsOf("schedules");
    expect(runs).toHaveLength(4);
    for (const { settings } of runs) expect(highestRate(settings)).toBeCloseTo(0.003, 4);
  });

  test("of backends and of optimizers changes nothing else", () => {
    expect(runsOf("backends").map(({ settings }) => settings)).toEqual([
      defaultSettings,
      { ...defaultSettings, backend: "cpu-js" },
    ]);
    const seeded = { ...defaultSettings, seed: 5 };
    const optimizers = runsOf("optimizers", seeded).map(({ settings }) => settings);
    expect(optimizers.map(({ optimizer }) => optimizer)).toEqual(["adam", "sgd", "lion", "muon"]);
    for (const { seed, epochs } of optimizers) expect([seed, epochs]).toEqual([5, 4]);
  });
});
