import { describe, expect, test } from "vitest";
import { folded, namedFigure, painter, table } from "../src/cli/terminal.js";

const paint = painter({});
const columns = [
  { title: "" },
  { title: "what" },
  { title: "checks", align: "right" },
  { title: "" },
] as const;
const rows = [
  ["passed", "rules defined at run time", "3/3", ""],
  ["passed", "calls and steps", "26/27", "skipped: masks on the device"],
];
const widest = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));

describe("a table", () => {
  test.each([40, 60, 80])("fits in %i columns", (width) => {
    expect(widest(table(columns, rows, paint, width))).toBeLessThanOrEqual(width);
  });

  test("leaves notes out where they do not fit, and cuts them where they nearly do", () => {
    const notes = [40, 60, 100].map((width) =>
      /skipped.*/.exec(table(columns, rows, paint, width)),
    );
    expect(notes.map((note) => note?.[0])).toEqual([
      undefined,
      "skipped: masks o…",
      "skipped: masks on the device",
    ]);
  });

  test("cuts no figures", () => {
    const figures = [{ title: "what" }, { title: "error", align: "right" }] as const;
    expect(table(figures, [["a name that is longer", "0.739"]], paint, 20)).toContain("0.739");
  });

  test("of coloured cells has no spaces at the end of lines", () => {
    const colored = [["passed", "rows", "5/5", { text: "", paint: (text: string) => `<${text}>` }]];
    expect(table(columns, colored, paint, 80)).not.toMatch(/[ <>]$/m);
  });
});

test.each([40, 80])("figures are folded at %i columns, behind their names", (width) => {
  const text = namedFigure("differing bits", "87,853 of 415,153 values differ from others", width);
  expect(widest(text)).toBeLessThanOrEqual(width);
  expect(text.replaceAll(/\s+/g, " ")).toBe(
    "differing bits 87,853 of 415,153 values differ from others",
  );
});

test("a line is folded between words; its indentation, columns and colors stay", () => {
  const green = painter({ isTTY: true }).good;
  const text = `  wasm   ${green("works")}  SIMD, one thread`;
  expect(folded(text, 80, 4)).toBe(text);
  expect(folded(text, 22, 4)).toBe(`  wasm   ${green("works")}  SIMD,\n    one thread`);
});
