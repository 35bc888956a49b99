import { effect } from "@preact/signals";
import { expect, test } from "vitest";
import type { RunReport } from "../../src/train/run-report.js";
import { defaultSettings } from "../../src/train/run-settings.js";
import { Run } from "../../src/train/run.js";

const epoch = { trainingLoss: 1, validationLoss: 1, validationAccuracy: 0.5 };
const record = { id: "a", name: "Adam", color: 0, isHidden: false, settings: defaultSettings };
const result = { accuracy: 0.5, loss: 1, digest: "00" };

/** A worker that has saved these reports, one after the other. */
function workerWith(...reports: Partial<RunReport>[]): Parameters<Run["load"]>[0] {
  const saved = async () => ({
    firstBatch: 0,
    losses: new Float64Array(),
    learningRates: new Float64Array(),
    history: [],
    changes: [],
    seconds: 1,
    ...reports.shift(),
  });
  return { saved } as unknown as Parameters<Run["load"]>[0];
}

test("an epoch that ends after the report of its last batch is seen", async () => {
  const run = new Run(record);
  const seen: number[] = [];
  const end = effect(() => {
    seen.push(run.history.value.length);
  });
  const losses = Float64Array.of(2, 1);
  const worker = workerWith({ losses, learningRates: losses }, { history: [epoch as never] });
  await run.load(worker);
  await run.load(worker);
  end();
  expect(run.losses).toEqual([2, 1]);
  expect(seen).toEqual([0, 1]);
  expect(run.document.history).toEqual([epoch]);
});

test("a run takes over its name from another tab, and its result once it is finished there", () => {
  const run = new Run(record);
  expect(run.follow({ ...record, name: "other", isHidden: true })).toBe(false);
  expect(run.record).toEqual({ ...record, name: "other", isHidden: true });
  expect(run.status.value).toBe("paused");
  expect(run.follow({ ...record, result })).toBe(true);
  expect(run.record).toEqual({ ...record, result });
  expect([run.status.value, run.digest.value]).toEqual(["finished", "00"]);
  expect(run.follow({ ...record, result: { ...result, digest: "ff" } })).toBe(false);
  expect(run.digest.value).toBe("00");
});

test("the changes of a run are in its record, and in the settings that repeat it, with those to come", async () => {
  const change = (batch: number, value: number) => ({ batch, name: "beta1", value });
  const settings = { ...defaultSettings, changes: [change(1, 0.1), change(5, 0.2)] };
  const run = new Run({ ...record, settings });
  expect(run.record).toEqual({ ...record, settings });
  expect(run.repeatableSettings).toEqual(settings);
  const seen: number[] = [];
  const end = effect(() => {
    seen.push(run.changes.value.length);
  });
  const made = [change(1, 0.3), change(3, 0.4)];
  const worker = workerWith({ changes: made }, { changes: structuredClone(made) }, {});
  await run.load(worker);
  await run.load(worker);
  expect(run.record).toEqual({ ...record, settings, changes: made });
  expect(run.repeatableSettings).toEqual({
    ...defaultSettings,
    changes: [change(1, 0.3), change(3, 0.4), change(5, 0.2)],
  });
  expect(new Run(run.record).repeatableSettings).toEqual(run.repeatableSettings);
  // The worker starts the run again from its first batch.
  await run.load(worker);
  end();
  expect(run.repeatableSettings).toEqual(settings);
  expect(seen).toEqual([0, 2, 0]);
});
