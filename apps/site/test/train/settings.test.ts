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
  const { state, problems } = settingsFromUrl(Object.fromEntries(new URLSearchParams(query)));
  expect(problems).toEqual([]);
  return state;
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
    [
      "changes on the way",
      {
        ...defaultSettings,
        changes: [
          { batch: 5, name: "learningRate", value: 0.1 },
          { batch: 9, name: "learningRate", value: piecewise },
          { batch: 9, name: "beta1", value: 0.5 },
        ],
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
    { learningRate: "[1,", epochs: "1.5", changes: "{}" },
    { changes: "[" },
    { changes: '[{"batch":-1,"name":"beta1","value":0.5}]' },
    { changes: '[{"batch":1,"name":"beta1","value":1}]' },
    { changes: '[{"batch":1,"name":"beta1"}]' },
    { changes: '[{"batch":1,"name":"toString","value":1}]' },
    { changes: "[null]" },
    { learningRate: "9".repeat(400), clip: "", ema: "", beta1: "true", beta2: "null" },
  ])("that cannot be used are left out, with a word about each: %o", (query) => {
    const { state, problems } = settingsFromUrl(query);
    expect(state).toEqual(defaultSettings);
    expect(problems).toHaveLength(Object.keys(query).length);
  });
});

describe("runs in a query string", () => {
  const runs = [
    { name: "Adam, 0.003 & more", settings: defaultSettings },
    { name: "β₁ = ½", settings: { ...withOptimizer(defaultSettings, "lion"), seed: 7, clip: 1 } },
  ];
  const through = (text: string) =>
    new URLSearchParams(new URLSearchParams({ runs: text }).toString()).get("runs")!;

  const read = (text: string | undefined) => runsFromUrl({ runs: text });

  test("come back with their names", () => {
    expect(read(through(runsToUrl(runs)!))).toEqual({ state: runs, problems: [] });
    expect(runsToUrl([])).toBeUndefined();
  });

  test.each([
    [undefined, 0],
    ["", 1],
    ["{", 1],
    ["{}", 1],
    ["1", 1],
    ['[1,null,{}, {"name":" "},{"name":5}]', 5],
  ])("that cannot be used are left out, with a word about each: %s", (text, count) => {
    const { state, problems } = read(text);
    expect(state).toEqual([]);
    expect(problems).toHaveLength(count);
  });

  test("have defaults for settings that cannot be used, with a word about each", () => {
    expect(read('[{"name":"x","optimizer":"nothing","seed":"-1","epochs":3}]')).toEqual({
      state: [{ name: "x", settings: defaultSettings }],
      problems: [
        "Run x: The address has a value of optimizer that cannot be used: nothing",
        "Run x: The address has a value of seed that cannot be used: -1",
      ],
    });
  });

  test("are limited in number", () => {
    const many = Array.from({ length: 100 }, () => runs[0]);
    const { state, problems } = read(JSON.stringify(many));
    expect(state).toHaveLength(mostRuns);
    expect(problems).toEqual(["The address has 100 runs; only the first 24 are offered."]);
    expect(read(runsToUrl(many)).state).toHaveLength(mostRuns);
  });

  test("are missing where no run has the same settings", () => {
    const renamed = { ...runs[0], name: "mine" };
    expect(missingRuns(runs, [renamed])).toEqual([runs[1]]);
    expect(missingRuns(runs, [])).toEqual(runs);
    const [one, other] = [
      { learningRate: 0.1, beta1: 0.5, beta2: 0.9 },
      { learningRate: 0.1, beta2: 0.9, beta1: 0.5 },
    ].map((rule) => ({ name: "x", settings: { ...defaultSettings, rule } }));
    expect(missingRuns([one], [other])).toEqual([]);
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
