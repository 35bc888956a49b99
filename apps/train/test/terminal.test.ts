import { describe, expect, test } from "vitest";
import { printComparison } from "../src/terminal/comparison.js";
import { lossChart } from "../src/terminal/chart.js";
import { drawDigit, digitRow } from "../src/terminal/drawing.js";
import { clock, duration, lossText, percent } from "../src/terminal/figures.js";
import { progressOn } from "../src/terminal/progress.js";
import { printSummary } from "../src/terminal/summary.js";
import { fakeScreen, sampleDigits, sampleRun } from "./support.js";

const escape = "\u001b";

describe("a drawn digit", () => {
  const pixels = new Float32Array(784);
  // Ink in the two uppermost rows, and in all of the two columns at the left.
  for (let place = 0; place < 28; place++) {
    pixels[place] = pixels[28 + place] = pixels[place * 28] = pixels[place * 28 + 1] = 1;
  }

  test("is ink in half-blocks where there are no shades", () => {
    const lines = drawDigit(pixels, false);
    expect(lines).toEqual([
      `█${"▀".repeat(13)}`,
      ...new Array<string>(6).fill(`█${" ".repeat(13)}`),
    ]);
  });

  test("is shades of gray where there are: the upper point in front, the lower behind", () => {
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
  ])("in %i columns stands among %i in a row, with what it was taken for", (columns, fit) => {
    const { evaluation } = sampleRun();
    const screen = fakeScreen({ isTTY: true, columns });
    const lines = digitRow(evaluation.predictions, sampleDigits().pixels, screen);
    expect(lines).toHaveLength(8);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(lines[7].match(/✓/g)).toHaveLength(fit);
    const wrong = digitRow([evaluation.predictions[9]], sampleDigits().pixels, screen);
    expect(wrong[7]).toBe("✗ 4, is 9  91%");
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

  test("is left out when there is no step or a loss is not finite", () => {
    const screen = fakeScreen();
    expect(lossChart({ ...sampleRun(), stepLosses: [], history: [] }, screen)).toEqual([]);
    expect(lossChart({ ...sampleRun(), stepLosses: [2, Number.NaN, 1] }, screen)).toEqual([]);
  });

  test("has room for the numbers of a thousand epochs", () => {
    const history = Array.from({ length: 1000 }, (_, index) => ({
      ...sampleRun().history[0],
      epoch: index + 1,
    }));
    const stepLosses = Array.from({ length: 4000 }, (_, step) => 2 / (step + 1));
    const lines = lossChart({ history, stepLosses, stepsPerEpoch: 4 }, fakeScreen());
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

describe("progress", () => {
  const step = { epoch: 1, step: 2, loss: 1.5, accuracy: 0.5, stepsPerSecond: 40, secondsLeft: 65 };

  test("is plain lines where lines cannot be written over", () => {
    const screen = fakeScreen();
    const progress = progressOn(screen, 2);
    progress.onStart?.(4);
    progress.onStep?.(step);
    for (const epoch of sampleRun().history) progress.onEpoch?.(epoch);
    progress.close();
    expect(screen.text()).toBe(
      [
        "  epoch      loss  accuracy   held-out: loss  accuracy   steps/s     time",
        "    1/2    1.2000    70.0 %           0.9000    80.0 %         2    2.0 s",
        "    2/2    0.7000    70.0 %           0.6000    80.0 %         2    2.0 s",
        "",
      ].join("\n"),
    );
  });

  test("is a bar in a terminal, in one line of it, without colors where there are none", () => {
    const screen = fakeScreen({ isTTY: true, columns: 80 });
    const progress = progressOn(screen, 2);
    progress.onStart?.(4);
    progress.onStep?.(step);
    progress.close();
    const bar = screen
      .text()
      .split(escape)
      .find((part) => part.includes("━"))!;
    expect(bar).toContain("1/2");
    expect(bar).toMatch(/━+─+ {2}loss 1\.5000 {3}50\.0 % {4}40 steps\/s {2}1:05 left/);
    expect(bar.length).toBeLessThanOrEqual(80);
    // It moves the cursor but sets no color.
    expect(screen.text()).not.toMatch(new RegExp(`${escape}\\[[0-9;]+m`));
  });
});

describe("the summary", () => {
  test("tells what came of it, and paints nothing on a pipe", () => {
    const screen = fakeScreen({ colors: 2 ** 24 });
    printSummary(sampleRun(), sampleDigits().pixels, screen);
    expect(screen.text()).toContain("90.00 % of 10 held-out digits are right, 1 is wrong.");
    expect(screen.text()).toContain(
      "8 steps in 4.0 s.\nThe optimizer took 0.20 s of it (5.0 %), 25.000 ms a step.",
    );
    expect(screen.text()).not.toContain(escape);
  });

  test("says that it was stopped", () => {
    const screen = fakeScreen();
    printSummary({ ...sampleRun(), interrupted: true }, sampleDigits().pixels, screen);
    expect(screen.text()).toContain("Stopped after 8 steps, as you asked.");
  });

  test("says that the training diverged, and draws no digit then", () => {
    const run = sampleRun();
    const screen = fakeScreen();
    const evaluation = { ...run.evaluation, loss: Number.NaN };
    printSummary({ ...run, evaluation }, sampleDigits().pixels, screen);
    expect(screen.text()).toContain("a lower --learning-rate may help");
    expect(screen.text()).not.toContain("✗");
  });
});

test("a comparison is a column for each contender, in 80 columns", () => {
  const run = sampleRun();
  const screen = fakeScreen();
  const contenders = (["wasm", "cpu-js"] as const).flatMap((backend) => [
    { maker: "gradstep" as const, backend, run },
    { maker: "TF.js" as const, backend, run: { ...run, optimizerSeconds: 2 } },
  ]);
  const ratios = [
    { backend: "wasm" as const, speedup: 10, lossDifference: 1.5e-6 },
    { backend: "cpu-js" as const, speedup: 0.5, lossDifference: 0 },
  ];
  printComparison({ contenders, ratios }, screen);
  const lines = screen.text().split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines[1].split(/\s+/)).toEqual(["", "gradstep", "TF.js", "gradstep", "TF.js"]);
  expect(screen.text()).toMatch(/loss, epoch 2( +0\.7000){4}\n/);
  expect(screen.text()).toMatch(/its share +5\.0 % +50\.0 % +5\.0 % +50\.0 %\n/);
  expect(screen.text()).toContain(
    "On wasm, gradstep's Adam is 10.0 times as fast as TF.js's;\nthe losses of a step differ by 1.5e-6 at most.",
  );
  expect(screen.text()).toContain(
    "On cpu-js, gradstep's Adam is 2.0 times as slow as TF.js's;\nthe losses of all steps are the same.",
  );
});

test("figures", () => {
  expect([
    percent(0.9642),
    percent(1, 0),
    lossText(0.12345),
    lossText(12_345),
    lossText(Number.NaN),
  ]).toEqual(["96.4 %", "100 %", "0.1235", "1.23e+4", "NaN"]);
  expect([duration(0.421), duration(12.34), duration(125), clock(59.2), clock(Infinity)]).toEqual([
    "0.42 s",
    "12.3 s",
    "2:05 min",
    "1:00",
    "-:--",
  ]);
});
