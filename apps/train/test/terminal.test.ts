import { clock, duration, axisNumber, lossText, milliseconds, percent } from "@gradstep/digits";
import { describe, expect, test } from "vitest";
import { learningRateChart, lossChart, overlaidLossChart } from "../src/terminal/chart.js";
import { printComparison } from "../src/terminal/comparison.js";
import { comparisonProgress } from "../src/terminal/comparison-progress.js";
import { drawDigit, digitRow } from "../src/terminal/digits.js";
import { printSummary } from "../src/terminal/summary.js";
import { trainingProgress } from "../src/terminal/training-progress.js";
import {
  divergedRun,
  fakeScreen,
  sampleComparison,
  sampleDigits,
  sampleRun,
  widthOf,
} from "./support.js";

const escape = "\u001b";

describe("a drawn digit", () => {
  const pixels = new Float32Array(784);
  // Ink in the two top rows and the two left columns.
  for (let index = 0; index < 28; index++) {
    pixels[index] = pixels[28 + index] = pixels[index * 28] = pixels[index * 28 + 1] = 1;
  }

  test("is black and white half-blocks where there are no grays", () => {
    const lines = drawDigit(pixels, false);
    expect(lines).toEqual([
      `█${"▀".repeat(13)}`,
      ...new Array<string>(6).fill(`█${" ".repeat(13)}`),
    ]);
  });

  test("is shades of gray where there are: the upper point in the foreground, the lower in the background", () => {
    const [first, second] = drawDigit(pixels, true);
    expect(first).toBe(
      `${escape}[38;5;255;48;5;255m▀${`${escape}[38;5;255;48;5;232m▀`.repeat(13)}${escape}[0m`,
    );
    expect(second.startsWith(`${escape}[38;5;255;48;5;255m▀${escape}[38;5;232;48;5;232m▀`)).toBe(
      true,
    );
  });

  test.each([
    [80, 5],
    [120, 7],
    [14, 1],
    [10, 1],
  ])("in %i columns is one of %i in a row, with predicted / actual below", (columns, fit) => {
    const { evaluation } = sampleRun();
    const screen = fakeScreen({ isTTY: true, columns });
    const lines = digitRow(evaluation.predictions, sampleDigits().pixels, screen);
    expect(lines).toHaveLength(8);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(
      Math.max(14, columns),
    );
    expect(lines[7].match(/✓/g)).toHaveLength(fit);
    const wrong = digitRow([evaluation.predictions[9]], sampleDigits().pixels, screen);
    expect(wrong[7]).toBe("✗ 4 / 9   91 %");
  });
});

describe("the loss chart", () => {
  test("fits the screen, with a dot for each epoch above its number", () => {
    const lines = lossChart(sampleRun(), fakeScreen({ columns: 80 }));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const dots = lines
      .slice(0, -1)
      .flatMap((line) => (line.includes("●") ? [line.indexOf("●")] : []));
    expect(dots).toEqual([10, 14]);
    const axis = lines.at(-2)!;
    expect([axis.indexOf("1"), axis.indexOf("2")]).toEqual(dots);
    expect(lines[0]).toMatch(/^ {3}2\.3┤/);
  });

  test("is empty without batches", () => {
    const run = { ...sampleRun(), batchLosses: [], history: [] };
    expect(lossChart(run, fakeScreen())).toEqual([]);
  });

  test("ends where a loss is not finite, and has no legend for dots that are not there", () => {
    const screen = fakeScreen();
    expect(lossChart({ ...sampleRun(), batchLosses: [2, Number.NaN, 1] }, screen)).toEqual([]);
    const lines = lossChart(divergedRun(), screen);
    expect(lines[0]).toMatch(/^ {4}30┤/);
    expect(lines.join("\n")).not.toContain("●");
    expect(lines.at(-1)!.trim()).toBe("── training loss");
  });

  test("stacks its legend where it is too wide", () => {
    const [first, second] = lossChart(sampleRun(), fakeScreen({ isTTY: true, columns: 40 })).slice(
      -2,
    );
    expect([first.trim(), second.trim()]).toEqual([
      "── training loss",
      "● held-out loss, per epoch",
    ]);
  });

  test("of two runs with the same losses has the dots of the second on the line of the first", () => {
    const batchLosses = Array.from({ length: 400 }, (_, batch) => 2 / (batch + 1));
    const run = { ...sampleRun(), batchLosses, batchesPerEpoch: 200 };
    const screen = fakeScreen();
    const names = ["gradstep", "TF.js"] as const;
    const plain = lossChart({ ...run, history: [] }, screen).map((line) => line.padEnd(80));
    const both = overlaidLossChart([run, run], names, screen);
    const dots = both.slice(0, 11).join("").match(/●/g);
    expect(dots!.length).toBeGreaterThan(8);
    both.slice(0, 11).forEach((line, row) => {
      Array.from(line).forEach((character, column) => {
        const without = plain[row][column];
        expect(character).toMatch(/[─╰╭╮╯│]/.test(without) ? /[─╰╭╮╯│●]/ : without);
      });
    });
    expect(both.at(-1)!.trim()).toBe("── gradstep   ● TF.js");
  });

  test("has room for the numbers of a thousand epochs", () => {
    const history = Array.from({ length: 1000 }, (_, index) => ({
      ...sampleRun().history[0],
      epoch: index + 1,
    }));
    const batchLosses = Array.from({ length: 4000 }, (_, batch) => 2 / (batch + 1));
    const lines = lossChart({ history, batchLosses, batchesPerEpoch: 4 }, fakeScreen());
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

describe("the learning rate chart", () => {
  test("has the columns of the loss chart", () => {
    expect(learningRateChart(sampleRun(), fakeScreen())).toEqual([
      " 0.002┤─╮",
      "0.0015┤ ╰╮",
      " 0.001┤  ╰╮",
      "5.3e-4┤   ╰─╮",
      "  4e-5┤     ╰─",
    ]);
  });

  test("is empty for a constant rate, and without batches", () => {
    expect(learningRateChart({ learningRates: [0.1, 0.1, 0.1] }, fakeScreen())).toEqual([]);
    expect(learningRateChart({ learningRates: [] }, fakeScreen())).toEqual([]);
  });
});

describe("the progress of a training", () => {
  const progressed = {
    epoch: 1,
    batch: 2,
    loss: 1.5,
    accuracy: 0.5,
    batchesPerSecond: 40,
    secondsLeft: 65,
    optimizerSecondsPerBatch: 0.02,
  };

  test("is plain lines where lines cannot be overwritten", () => {
    const screen = fakeScreen();
    const progress = trainingProgress(screen, 2);
    progress.onStart?.(4);
    progress.onBatch?.(progressed);
    for (const epoch of sampleRun().history) progress.onEpoch?.(epoch);
    progress.close();
    expect(screen.text()).toBe(
      [
        "           ──── training ────  ──── held-out ────             learning",
        "    epoch      loss  accuracy      loss  accuracy  batches/s      rate     time",
        "      1/2    1.2000   70.00 %    0.9000   80.00 %       2.00     0.001   2.00 s",
        "      2/2    0.7000   70.00 %    0.6000   80.00 %       2.00      4e-5   2.00 s",
        "",
      ].join("\n"),
    );
  });

  test.each([40, 60, 64])(
    "leaves out columns of the table in %i columns, never the held-out accuracy",
    (columns) => {
      const screen = fakeScreen({ isTTY: true, columns });
      const progress = trainingProgress(screen, 2);
      progress.onEpoch?.({ ...sampleRun().history[0], validationAccuracy: 0.9123 });
      expect(widthOf(screen.text())).toBeLessThanOrEqual(columns);
      expect(screen.text()).toContain("held-out");
      expect(screen.text()).toContain("91.23 %");
    },
  );

  test("has no table before the first epoch ends", () => {
    const screen = fakeScreen();
    const progress = trainingProgress(screen, 2);
    progress.onStart?.(4);
    progress.onBatch?.(progressed);
    progress.close();
    expect(screen.text()).toBe("");
  });

  test.each([
    [80, /1\/2 {2}━+─+ {2}1:05 left {2}loss 1\.5000 {3}50\.00 % {2}40\.0 batches\/s$/],
    [60, /1\/2 {2}━+─+ {2}1:05 left {2}loss 1\.5000 {3}50\.00 %$/],
    [40, /1\/2 {2}━+─+ {2}1:05 left {2}loss 1\.5000$/],
  ])(
    "is a bar on a terminal of %i columns, in one line, with all of its text",
    (columns, expected) => {
      const screen = fakeScreen({ isTTY: true, columns });
      const progress = trainingProgress(screen, 2);
      progress.onStart?.(4);
      progress.onBatch?.(progressed);
      progress.close();
      const bar = screen
        .text()
        .split(escape)
        .find((part) => part.includes("━"))!
        .replace(/^\[[0-9;]*[A-Za-z]/, "");
      expect(bar).toMatch(expected);
      expect(bar.length).toBeLessThan(columns);
      // It moves the cursor but sets no color.
      expect(screen.text()).not.toMatch(new RegExp(`${escape}\\[[0-9;]+m`));
    },
  );
});

test.each([60, 80])(
  "the progress of a comparison is the time per optimizer step, in %i columns",
  (columns) => {
    const screen = fakeScreen({ isTTY: true, columns });
    const progress = comparisonProgress(screen, 2);
    const [epoch] = sampleRun().history;
    progress.gradstep.onEpoch?.(epoch);
    expect(screen.text()).toBe("");
    progress["TF.js"].onEpoch?.({ ...epoch, optimizerSecondsPerBatch: 0.2 });
    expect(screen.text().split("\n").slice(0, 3)).toEqual([
      "           ── optimizer per step ──  ─ held-out accuracy ──",
      "    epoch     gradstep        TF.js    gradstep       TF.js",
      "      1/2      20.0 ms       200 ms     80.00 %     80.00 %",
    ]);
    expect(widthOf(screen.text())).toBeLessThanOrEqual(60);
  },
);

describe("the summary", () => {
  test.each([40, 60, 80, 100])("fits in %i columns", (columns) => {
    for (const run of [sampleRun(), divergedRun(), { ...sampleRun(), interrupted: true }]) {
      const screen = fakeScreen({ isTTY: true, columns });
      printSummary(run, sampleDigits().pixels, screen);
      expect(widthOf(screen.text())).toBeLessThanOrEqual(columns);
    }
  });

  test("has the figures, and no colors on a pipe", () => {
    const screen = fakeScreen({ colors: 2 ** 24 });
    printSummary(sampleRun(), sampleDigits().pixels, screen);
    expect(screen.text()).toContain("90.00 % accuracy on 10 held-out digits (1 mistake)");
    expect(screen.text()).toContain(
      "8 batches in 4.00 s\nOptimizer: 0.200 s of it (5.0 %), median 20.0 ms per batch",
    );
    expect(screen.text()).not.toContain(escape);
  });

  test("counts steps where there are fewer than batches, and those that were skipped", () => {
    const screen = fakeScreen();
    const run = { ...sampleRun(), steps: 3, skippedSteps: 1 };
    printSummary(run, sampleDigits().pixels, screen);
    expect(screen.text()).toContain("8 batches (3 steps, 1 skipped) in 4.00 s\n");
  });

  test("explains predicted / actual once, and keeps that order", () => {
    const screen = fakeScreen();
    printSummary(sampleRun(), sampleDigits().pixels, screen);
    expect(screen.text().match(/predicted \/ actual/g)).toHaveLength(1);
    expect(screen.text()).toContain("✗ 4 / 9   91 %");
  });

  test("says that the training was stopped", () => {
    const screen = fakeScreen();
    printSummary({ ...sampleRun(), interrupted: true }, sampleDigits().pixels, screen);
    expect(screen.text()).toContain("Stopped by Ctrl-C after 8 batches.");
  });

  test("says that the training diverged, and draws no digits then", () => {
    const screen = fakeScreen();
    printSummary(divergedRun(), sampleDigits().pixels, screen);
    expect(screen.text()).toContain("The training diverged: the loss of batch 30 is NaN.");
    expect(screen.text()).toContain("Try a lower --learning-rate.");
    expect(screen.text()).not.toMatch(/[✓✗]/);
  });
});

describe("the result of a comparison", () => {
  test.each([60, 80, 100])("fits in %i columns", (columns) => {
    const screen = fakeScreen({ isTTY: true, columns });
    printComparison(sampleComparison(), screen);
    expect(widthOf(screen.text())).toBeLessThanOrEqual(columns);
  });

  test("begins with the time per optimizer step and the speedup", () => {
    const screen = fakeScreen();
    printComparison(sampleComparison(), screen);
    const lines = screen.text().split("\n");
    expect(lines.slice(0, 6)).toEqual([
      "",
      "Optimizer time per step, median of 8",
      "",
      "WebAssembly: gradstep is 10.0× faster",
      `  gradstep  ${"█".repeat(4).padEnd(40)}    20.0 ms`,
      `  TF.js     ${"█".repeat(40)}     200 ms`,
    ]);
    expect(screen.text()).toContain("JavaScript: gradstep is 2.00× slower");
    expect(screen.text()).toMatch(/JavaScript +TF\.js +\d+\.\d{4} +90\.00 % +4\.00 s +2\.5 %\n/);
    expect(screen.text()).toContain(
      "Largest difference between the losses of a step: 1.5e-6 (WebAssembly), 0\n(JavaScript).",
    );
  });

  test("says which trainings diverged", () => {
    const screen = fakeScreen();
    const [wasm] = sampleComparison().backends;
    const runs = { ...wasm.runs, "TF.js": divergedRun() };
    printComparison({ backends: [{ ...wasm, runs, lossDifference: Number.NaN }] }, screen);
    expect(screen.text()).toContain(
      "TF.js on WebAssembly: The training diverged: the loss of batch 30 is NaN.",
    );
  });

  test("can be printed if no step was made", () => {
    const [wasm] = sampleComparison().backends;
    const none = {
      ...wasm.runs.gradstep,
      batchLosses: [],
      optimizerTimes: [],
      history: [],
      seconds: 0,
    };
    const screen = fakeScreen();
    printComparison(
      {
        backends: [
          {
            ...wasm,
            runs: { gradstep: none, "TF.js": none },
            speedup: undefined,
            lossDifference: undefined,
          },
        ],
      },
      screen,
    );
    expect(screen.text()).not.toMatch(/NaN|Infinity/);
  });
});

test("numbers for people", () => {
  expect([
    percent(0.9642),
    percent(1, 0),
    lossText(0.12345),
    lossText(12_345),
    lossText(Number.NaN),
  ]).toEqual(["96.42 %", "100 %", "0.1235", "1.2e4", "NaN"]);
  expect([0.421, 12.34, 125, 0].map(duration)).toEqual(["0.421 s", "12.3 s", "125 s", "0.00 s"]);
  expect([0.000_312, 0.0471, Number.NaN].map(milliseconds)).toEqual(["0.312 ms", "47.1 ms", "–"]);
  expect([clock(59.2), clock(139), clock(Infinity)]).toEqual(["1:00", "2:19", "-:--"]);
  expect([2.4, 0.0382, 0.000_12, 123_456, 1.23e12].map((value) => axisNumber(value))).toEqual([
    "2.4",
    "0.038",
    "1.2e-4",
    "120000",
    "1.2e12",
  ]);
});

test("the live bar of a comparison has both times on a terminal of 60 columns", () => {
  const screen = fakeScreen({ isTTY: true, columns: 60 });
  const progress = comparisonProgress(screen, 2);
  const progressed = {
    epoch: 1,
    batch: 2,
    loss: 1.5,
    accuracy: 0.5,
    batchesPerSecond: 40,
    secondsLeft: 20,
    optimizerSecondsPerBatch: 0.000_312,
  };
  progress.gradstep.onStart?.(4);
  progress.gradstep.onBatch?.(progressed);
  progress["TF.js"].onBatch?.({ ...progressed, optimizerSecondsPerBatch: 0.0471 });
  progress.close();
  expect(screen.text()).toMatch(
    /1\/2 {2}━+─+ {2}gradstep 0\.312 ms {2}TF\.js 47\.1 ms {2}0:40 left/,
  );
});
