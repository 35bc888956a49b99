import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { parseHTML } from "linkedom";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OptionsError } from "../src/options.js";
import { checkReportFile } from "../src/report/file.js";
import { renderReport } from "../src/report/page.js";
import { pngAddress } from "../src/report/png.js";
import { sampleConfiguration, sampleDigits, sampleRun } from "./support.js";

const report = { configuration: sampleConfiguration, run: sampleRun(), heldOut: sampleDigits() };

describe("the report", () => {
  const html = renderReport(report);
  const { document } = parseHTML(html);

  test("loads nothing from anywhere and runs no script", () => {
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

  test("has the figures", () => {
    expect(document.querySelector("title")?.textContent).toBe("90.00 % · adam · gradstep");
    expect(
      [...document.querySelectorAll(".figures b")].map(({ textContent }) => textContent),
    ).toEqual(["90.00 %", report.run.evaluation.loss.toFixed(4), "4.0 s", "5.0 %"]);
  });

  test("has curves of loss and accuracy, a dot for each epoch", () => {
    const charts = [...document.querySelectorAll("svg")];
    expect(charts.map((chart) => chart.querySelectorAll("circle").length)).toEqual([2, 4]);
    for (const path of document.querySelectorAll("svg path[d]")) {
      expect(path.getAttribute("d")).not.toContain("NaN");
    }
  });

  test("has the confusion matrix: rows are digits, columns what they were taken for", () => {
    const rows = [...document.querySelectorAll(".confusion tbody tr")];
    expect(rows).toHaveLength(10);
    const cells = rows.map((row) =>
      [...row.querySelectorAll("td")].map(({ textContent }) => textContent),
    );
    cells.forEach((row, digit) => {
      const expected = new Array<string>(10).fill("");
      expected[digit === 9 ? 4 : digit] = "1";
      expect(row).toEqual([...expected, digit === 9 ? "0.0 %" : "100.0 %"]);
    });
  });

  test("shows the mistakes", () => {
    const figures = [...document.querySelectorAll(".digits figure")];
    expect(figures.map((figure) => figure.querySelector("figcaption")?.textContent)).toEqual([
      "4 for 9",
    ]);
    expect(figures[0].querySelector("img")?.getAttribute("alt")).toBe("A handwritten 9");
  });

  test("has the comparison when there is one", () => {
    const contenders = [
      { maker: "gradstep" as const, backend: "wasm" as const, run: report.run },
      { maker: "TF.js" as const, backend: "wasm" as const, run: { ...report.run, history: [] } },
    ];
    const ratios = [{ backend: "wasm" as const, speedup: 4, lossDifference: 1e-6 }];
    const page = renderReport({ ...report, comparison: { contenders, ratios } });
    expect(html).not.toContain("beside TF.js's");
    expect(page).toContain("beside TF.js's");
    expect(page).toContain("On wasm, gradstep's Adam is 4.0 times as fast as TF.js's");
  });

  test("can be written of a training that was stopped at once", () => {
    const run = { ...report.run, history: [], stepLosses: [], interrupted: true, seconds: 0 };
    const page = renderReport({ ...report, run });
    expect(page).toContain("Stopped by hand after 0 steps.");
    expect(page).not.toContain("NaN");
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

  test.each(["missing/report.html", "."])("%s is refused", (name) => {
    expect(() => checkReportFile(join(folder, name))).toThrow(OptionsError);
    expect(() => checkReportFile(join(folder, name))).toThrow(
      /^Got --report .*, which cannot be written/,
    );
  });
});
