import { expect, test } from "vitest";
import {
  accuracyCurves,
  lossCurves,
  rateCurves,
  smoothed,
  type DrawnRun,
} from "../../src/train/run-curves.js";
import { csvOf, jsonOf, type RunDocument } from "../../src/train/run-document.js";
import { defaultSettings } from "../../src/train/run-settings.js";

const run = (losses: number[], batchSize: number, accuracies: number[] = []): DrawnRun => ({
  label: "run",
  color: "#000000",
  line: "dashed",
  settings: { epochs: 2, batchSize },
  losses,
  learningRates: losses.map((_, batch) => batch / 10),
  accuracies,
});

test("an average of equal losses is that loss from the first batch on, and follows a step slowly", () => {
  expect([...smoothed([3, 3, 3, 3], 0.9)].map((value) => value.toFixed(9))).toEqual(
    Array<string>(4).fill("3.000000000"),
  );
  expect([...smoothed([5, 1, 7], 0)]).toEqual([5, 1, 7]);
  const after = smoothed([...Array<number>(200).fill(1), ...Array<number>(10).fill(2)], 0.9).at(-1);
  expect(after).toBeCloseTo(2 - 0.9 ** 10, 6);
});

test("runs with other batch sizes share the epochs of one axis", () => {
  // 4 and 2 batches per epoch.
  const { x, curves } = lossCurves([run([1, 2, 3, 4, 5, 6, 7, 8], 2000), run([10, 20], 4000)], 0);
  expect(curves[0]).toMatchObject({ label: "run", color: "#000000", line: "dashed" });
  expect(x).toEqual([0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]);
  expect(curves[0].values).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(curves[1].values).toEqual([10, 10, 20, 20, null, null, null, null]);
});

test("long runs are drawn with 400 points, the last of which is the last batch", () => {
  const losses = Array.from({ length: 5000 }, (_, batch) => batch);
  const { x, curves } = lossCurves([run(losses, 64)], 0);
  expect([x.length, x.at(-1), curves[0].values.at(-1)]).toEqual([400, 40, 4999]);
});

test("losses that are not finite and rates of 0 are gaps", () => {
  expect(lossCurves([run([1, NaN, Infinity, 2], 2000)], 0).curves[0].values).toEqual([
    1,
    null,
    null,
    null,
  ]);
  expect(rateCurves([run([1, 1, 1], 2000)]).curves[0].values).toEqual([null, 0.1, 0.2]);
});

test("accuracies are percent per epoch", () => {
  const { x, curves } = accuracyCurves([run([], 64, [0.5, 0.75]), run([], 64, [0.25])]);
  expect([x, curves[0].values, curves[1].values]).toEqual([
    [1, 2],
    [50, 75],
    [25, null],
  ]);
});

const document: RunDocument = {
  name: '=1+1 "mine", really',
  settings: defaultSettings,
  changes: [],
  result: null,
  history: [],
  batchLosses: [2.302585092994046, NaN],
  learningRates: [0.003, 0.1 + 0.2],
};

test("CSV has a row per batch with all digits, and a name is text", () => {
  expect(csvOf([document])).toBe(
    [
      "run,optimizer,backend,batch,learning rate,loss",
      `"'=1+1 ""mine"", really",adam,wasm,1,0.003,2.302585092994046`,
      `"'=1+1 ""mine"", really",adam,wasm,2,0.30000000000000004,NaN`,
      "",
    ].join("\r\n"),
  );
});

test("JSON can be read back, with null for a loss that is NaN", () => {
  expect(JSON.parse(jsonOf([document]))).toEqual({
    runs: [{ ...document, batchLosses: [2.302585092994046, null] }],
  });
});
