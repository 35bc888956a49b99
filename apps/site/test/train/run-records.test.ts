import { expect, test } from "vitest";
import { recordsFrom, type RunRecord } from "../../src/train/run-records.js";
import { runStyles } from "../../src/train/run-styles.js";
import { defaultSettings, withOptimizer } from "../../src/train/run-settings.js";

const record: RunRecord = {
  id: "a",
  name: "Adam",
  color: 2,
  isHidden: true,
  settings: { ...withOptimizer(defaultSettings, "adamw"), clip: 1, ema: 0.99 },
  result: { accuracy: 0.97, loss: 0.1, digest: "00ff" },
  changes: [{ batch: 3, name: "beta1", value: 0.5 }],
};

test("records come back, also without a result, or with one that diverged", () => {
  const { result: _, ...unfinished } = record;
  const diverged = {
    ...record,
    id: "c",
    result: { accuracy: 0.1, loss: NaN, digest: "ff", failure: "The loss is NaN." },
  };
  const records = [record, { ...unfinished, id: "b" }, diverged];
  expect(recordsFrom(JSON.stringify(records))).toEqual(records);
});

test.each([
  null,
  "",
  "[[[",
  "null",
  "1",
  '"x"',
  '{"0":{}}',
  "[null]",
  "[1, 2]",
  "[{}]",
  "[[]]",
  JSON.stringify([{ ...record, id: 1 }]),
  JSON.stringify([{ ...record, id: "" }]),
  JSON.stringify([{ ...record, name: undefined }]),
  JSON.stringify([{ ...record, settings: undefined }]),
  ...[
    { optimizer: "gone" },
    { optimizer: "__proto__" },
    { backend: "cuda" },
    { epochs: 0 },
    { epochs: null },
    { batchSize: 1.5 },
    { batchSize: 8001 },
    { seed: -1 },
    { clip: "1" },
    { rule: {} },
    { rule: null },
    { rule: { learningRate: null } },
    { rule: { learningRate: [] } },
    { rule: { learningRate: { schedule: "gone", options: {} } } },
    { rule: { learningRate: { schedule: "linear", options: { from: 1 } } } },
    { rule: { learningRate: 0.1, beta1: {} } },
    { changes: {} },
    { changes: [null] },
    { changes: [{ batch: -1, name: "beta1", value: 0 }] },
    { changes: [{ batch: 1, name: "beta1", value: "x" }] },
    { changes: [{ batch: 1, name: "beta1", value: { schedule: "gone", options: {} } }] },
  ].map((changes) => JSON.stringify([{ ...record, settings: { ...record.settings, ...changes } }])),
])("what is no list of records has none: %s", (text) => {
  expect(recordsFrom(text)).toEqual([]);
});

test("the records next to one that is broken come back; of two with an id, the first does", () => {
  const others = [{ ...record, id: "b" }, {}, record, { ...record, name: "again" }];
  expect(recordsFrom(JSON.stringify(others))).toEqual([{ ...record, id: "b" }, record]);
});

test("of 24 runs, no two are drawn alike, and each is drawn as before when it comes back", () => {
  expect(new Set(runStyles.map(({ color, line }) => `${color} ${line}`)).size).toBe(24);
  const records = runStyles.map((_, color) => ({ ...record, id: String(color), color }));
  expect(recordsFrom(JSON.stringify(records))).toEqual(records);
});

test("a color that does not exist is the first; a result and changes that are none are left out", () => {
  const broken = { ...record, color: 99, result: {}, changes: [{}] };
  const [found] = recordsFrom(JSON.stringify([broken]));
  const { result: _, changes: __, ...unfinished } = record;
  expect(found).toEqual({ ...unfinished, color: 0 });
});
