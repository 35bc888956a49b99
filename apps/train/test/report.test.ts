import { type DigitSet, pixelsPerDigit } from "@gradstep/digits";
import { evaluatePredictions } from "@gradstep/digits/training";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { parseHTML } from "linkedom";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OptionsError } from "../src/options.mjs";
import { originOf } from "../src/report/origin.js";
import { renderReport } from "../src/report/page.js";
import { pngAddress } from "../src/report/png.js";
import { checkReportFile } from "../src/report/report-file.js";
import {
  divergedRun,
  sampleComparison,
  sampleConfiguration,
  sampleDigits,
  sampleRun,
} from "./support.js";

const report = {
  configuration: sampleConfiguration,
  run: sampleRun(),
  heldOut: sampleDigits(),
  origin: originOf(new Date("2026-11-28T17:45:59Z"), [
    "--epochs",
    "2",
    "--report",
    "my <report>.html",
  ]),
};

function pageOf(html: string): Document {
  return parseHTML(html).document;
}

/** Predictions of `count` digits, all wrong. */
function mistakesOf(count: number): Pick<typeof report, "run" | "heldOut"> {
  const probabilities = new Float32Array(count * 10);
  const labels = new Uint8Array(count);
  for (let digit = 0; digit < count; digit++) probabilities[digit * 10 + 1] = 1;
  const heldOut: DigitSet = { count, pixels: new Float32Array(count * pixelsPerDigit), labels };
  return {
    run: { ...sampleRun(), evaluation: evaluatePredictions(probabilities, labels) },
    heldOut,
  };
}

describe("the report", () => {
  const html = renderReport(report);
  const document = pageOf(html);

  test("loads nothing and runs no script", () => {
    expect(html.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(
      /https?:|\burl\(|@import/,
    );
    expect(document.querySelector("script, link, iframe, object")).toBeNull();
    for (const element of document.querySelectorAll("[src], [href]")) {
      expect(element.getAttribute("src") ?? element.getAttribute("href")).toMatch(
        /^data:image\/png;base64,/,
      );
    }
  });

  test("has a title and figures", () => {
    const title = "Training a digit classifier · gradstep Adam · WebAssembly";
    expect(document.querySelector("title")?.textContent).toBe(title);
    expect(document.querySelector("h1")?.textContent).toBe(title);
    expect(
      [...document.querySelectorAll(".figures b")].map(({ textContent }) => textContent),
    ).toEqual(["90.00 %", report.run.evaluation.loss.toFixed(4), "4.00 s", "20.0 ms"]);
  });

  test("ends with command line, version and date", () => {
    const { version } = JSON.parse(
      readFileSync(new URL("../../../packages/core/package.json", import.meta.url), "utf8"),
    ) as { version: string };
    expect(document.querySelector("footer code")?.textContent).toBe(
      "npm start -- --epochs 2 --report 'my <report>.html'",
    );
    expect(document.querySelector("footer")?.textContent).toContain(
      `gradstep ${version} · 2026-11-28 17:45 UTC · Node ${process.versions.node}`,
    );
    expect(html).not.toContain("<report>");
  });

  test("has curves of loss and accuracy, a dot for each epoch, for two widths of the page", () => {
    const charts = [...document.querySelectorAll("svg")];
    expect(charts.map((chart) => chart.querySelectorAll("circle").length)).toEqual([
      2, 2, 0, 0, 4, 4,
    ]);
    expect(charts.map((chart) => chart.parentElement?.className)).toEqual([
      "wide",
      "narrow",
      "wide",
      "narrow",
      "wide",
      "narrow",
    ]);
    // Shown as wide as they are on a phone of 390 pixels, so that 12 pixels of text stay 12 pixels.
    expect(Number(charts[1].getAttribute("width"))).toBeLessThan(345);
    for (const path of document.querySelectorAll("svg path[d]")) {
      expect(path.getAttribute("d")).not.toContain("NaN");
    }
  });

  test("has the learning rate as a curve from the first to the last, unless it is constant", () => {
    const titles = (page: Document): (string | null)[] =>
      [...page.querySelectorAll("section h2")].map(({ textContent }) => textContent);
    expect(titles(document).slice(0, 3)).toEqual(["Loss", "Learning rate", "Accuracy"]);
    const [, , curve] = document.querySelectorAll("svg");
    const heights = [
      ...curve
        .querySelector("g[aria-label=line] path")!
        .getAttribute("d")!
        .matchAll(/,([\d.]+)/g),
    ];
    const [top, bottom] = [Number(heights[0][1]), Number(heights.at(-1)![1])];
    // The axis begins at 0, and the last rate is a fiftieth of the first.
    expect((bottom - top) / (260 - top)).toBeCloseTo(0.98, 2);
    const constant = { ...sampleRun(), learningRates: sampleRun().learningRates.map(() => 0.1) };
    expect(titles(pageOf(renderReport({ ...report, run: constant })))).not.toContain(
      "Learning rate",
    );
  });

  test("says which settings are not the defaults", () => {
    expect(document.querySelector("header p")?.textContent).toContain(
      "learning rate 0.002, seed 1, schedule linear(learningRate, 0, steps).",
    );
  });

  test("has the confusion matrix, with its axes named", () => {
    const table = document.querySelector(".confusion")!;
    expect(table.querySelector("thead th.axis")?.textContent).toBe("Predicted");
    expect(table.querySelector("tbody th.axis")?.textContent).toBe("Actual");
    const rows = [...table.querySelectorAll("tbody tr")];
    expect(rows).toHaveLength(10);
    const cells = rows.map((row) =>
      [...row.querySelectorAll("td")].map(({ textContent }) => textContent),
    );
    cells.forEach((row, digit) => {
      const expected = new Array<string>(10).fill("");
      expected[digit === 9 ? 4 : digit] = "1";
      expect(row).toEqual([...expected, digit === 9 ? "0.0 %" : "100.0 %"]);
    });
    expect(table.querySelector("td.wrong")?.getAttribute("title")).toBe("predicted 4, actual 9: 1");
  });

  test.each([
    [1, "10%"],
    [5, "50%"],
    [20, "100%"],
  ])("tints a cell of %i mistakes by %s", (count, tint) => {
    const cell = pageOf(renderReport({ ...report, ...mistakesOf(count) })).querySelector(
      "td.wrong",
    );
    expect(cell?.textContent).toBe(String(count));
    expect(cell?.getAttribute("style")).toBe(`--tint: ${tint}`);
  });

  test("shows the mistakes as predicted / actual", () => {
    const figures = [...document.querySelectorAll(".digits figure")];
    expect(figures.map((figure) => figure.querySelector("figcaption")?.textContent)).toEqual([
      "4 / 9 91 %",
    ]);
    expect(figures[0].querySelector("img")?.getAttribute("alt")).toBe("A handwritten 9");
    expect(html.match(/predicted \/ actual/g)).toHaveLength(1);
    expect(document.querySelector("details")).toBeNull();
  });

  test("folds many mistakes away", () => {
    const page = pageOf(renderReport({ ...report, ...mistakesOf(70) }));
    const all = page.querySelectorAll(".digits figure").length;
    const folded = page.querySelectorAll("details figure").length;
    expect(all).toBe(70);
    expect(all - folded).toBeLessThanOrEqual(60);
    expect(page.querySelector("summary")?.textContent).toBe("Show all 70 mistakes");
    expect(page.querySelector("details")?.hasAttribute("open")).toBe(false);
  });

  test("puts the held-out accuracy next to the epoch, in a table that scrolls", () => {
    const headings = [...document.querySelectorAll(".scroll .rows th[scope=col]")];
    expect(headings.slice(0, 2).map(({ textContent }) => textContent)).toEqual([
      "epoch",
      "held\u2011out accuracy",
    ]);
  });

  test("says that a training diverged, and shows no mistakes then", () => {
    const page = pageOf(renderReport({ ...report, run: divergedRun() }));
    expect(page.querySelector(".failure")?.textContent).toBe(
      "The training diverged: the loss of batch 30 is NaN. Try a lower --learning-rate.",
    );
    expect(page.querySelector(".digits")).toBeNull();
    expect(document.querySelector(".failure")).toBeNull();
  });

  test("begins with the comparison when there is one", () => {
    const page = pageOf(renderReport({ ...report, comparison: sampleComparison() }));
    expect(page.querySelector("h1")?.textContent).toBe(
      "Training a digit classifier · gradstep Adam and TF.js Adam",
    );
    expect(page.querySelector(".figures")?.textContent?.trim()).toMatch(
      /^20\.0 ms.*, 200\u00A0ms with TF\.js, on WebAssembly/,
    );
    expect([...page.querySelectorAll("h2")].slice(0, 4).map((h2) => h2.textContent)).toEqual([
      "Optimizer time per step",
      "Training loss on WebAssembly",
      "Whole trainings",
      "The training with gradstep Adam on WebAssembly",
    ]);
    expect([...page.querySelectorAll("h3")].map((h3) => h3.textContent)).toEqual([
      "WebAssembly: gradstep is 10.0× faster",
      "JavaScript: gradstep is 2.00× slower",
    ]);
    expect(
      [...page.querySelectorAll(".bars i")].map(
        (bar) => /width: [\d.]+%/.exec(bar.getAttribute("style")!)![0],
      ),
    ).toEqual(["width: 10.0%", "width: 100.0%", "width: 100.0%", "width: 50.0%"]);
    // On a phone the last columns are out of sight.
    expect(
      [...page.querySelectorAll(".rows th[scope=col]")].slice(1, 4).map((th) => th.textContent),
    ).toEqual(["held\u2011out accuracy", "training time", "of it in the optimizer"]);
    // Two curves in one chart.
    const overlaid = page.querySelectorAll("svg")[0];
    expect(overlaid.querySelectorAll("g[aria-label=line] path")).toHaveLength(2);
  });

  test("can be written of a training that was stopped before its first batch", () => {
    const run = {
      ...report.run,
      history: [],
      batchLosses: [],
      learningRates: [],
      steps: 0,
      skippedSteps: 0,
      optimizerTimes: [],
      interrupted: true,
      seconds: 0,
    };
    const runs = { gradstep: run, "TF.js": run };
    const comparison = {
      backends: [{ backend: "wasm" as const, runs, speedup: undefined, lossDifference: undefined }],
    };
    for (const page of [
      renderReport({ ...report, run }),
      renderReport({ ...report, run, comparison }),
    ]) {
      expect(page).toContain("Stopped by Ctrl-C after 0 batches.");
      expect(page).not.toMatch(/NaN|undefined|Infinity/);
    }
  });
});

test("a picture is a PNG of the same pixels", () => {
  const gray = Uint8Array.from({ length: 12 }, (_, pixel) => pixel * 20);
  const file = Buffer.from(pngAddress(gray, 4).replace("data:image/png;base64,", ""), "base64");
  expect(file.subarray(0, 8).toString("latin1")).toBe("\u0089PNG\r\n\u001a\n");
  expect([file.readUInt32BE(16), file.readUInt32BE(20)]).toEqual([4, 3]);
  const start = file.indexOf("IDAT");
  const data = inflateSync(file.subarray(start + 4, start + 4 + file.readUInt32BE(start - 4)));
  expect([...data]).toEqual([0, 0, 20, 40, 60, 0, 80, 100, 120, 140, 0, 160, 180, 200, 220]);
});

describe("the report's file", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "report-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("is left as it is by the check", () => {
    const [there, not] = [join(folder, "there.html"), join(folder, "not.html")];
    writeFileSync(there, "old");
    checkReportFile(there);
    checkReportFile(not);
    expect(readFileSync(there, "utf8")).toBe("old");
    expect(existsSync(not)).toBe(false);
  });

  test.each(["missing/report.html", "."])("%s is rejected", (name) => {
    expect(() => checkReportFile(join(folder, name))).toThrow(OptionsError);
    expect(() => checkReportFile(join(folder, name))).toThrow(
      /^Got --report .*, which cannot be written/,
    );
  });
});
