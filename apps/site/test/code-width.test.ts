import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { scheduleEntries } from "../src/reference/entries.js";
import { schedulePage } from "../src/reference/pages/schedule-page.js";
import { content, pagesByHand } from "./pages-by-hand.js";

/** What fits into the width of a page. */
const columns = 80;

/** The program that a line `<<< path` or `<<< path#region` of a page shows. */
function included(page: string, path: string, region: string | undefined): string {
  const source = readFileSync(join(content, dirname(page), path), "utf8");
  if (region === undefined) return source;
  const [, part = ""] = source.split(new RegExp(`^ *// #(?:end)?region ${region}$`, "m"));
  // It is shown without the indent that all of its lines have.
  return part.replaceAll(/^ {2}/gm, "");
}

function programsOf(page: string, text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```(?:js|jsx|ts|html|json|sh)\b.*\n([\s\S]*?)^```/gm)];
  const files = [...text.matchAll(/^<<< ([^#\s]+)(?:#(\S+))?$/gm)];
  return [
    ...blocks.map(([, program]) => program),
    ...files.map(([, path, region]) => included(page, path, region)),
  ];
}

/** A string, or a pair of them in JSON, which the formatter keeps on one line. */
const isUnbreakable = (line: string): boolean => /^(?:\S+|"[^"]*": "[^"]*",?)$/.test(line.trim());

/** Lines that are too wide, apart from those that cannot be broken. */
const wideLines = (program: string): readonly string[] =>
  program.split("\n").filter((line) => line.length > columns && !isUnbreakable(line));

test("programs of pages are at most 80 columns wide", () => {
  const programs = pagesByHand.flatMap((page) =>
    programsOf(page, readFileSync(join(content, page), "utf8")),
  );
  expect(programs.length).toBeGreaterThan(60);
  expect(programs.flatMap(wideLines)).toEqual([]);
});

test.each(scheduleEntries())("so is the program on the page of $kind.name", (entry) => {
  const [program] = programsOf("", schedulePage(entry));
  expect(program).toContain(entry.kind.factory);
  expect(wideLines(program)).toEqual([]);
});
