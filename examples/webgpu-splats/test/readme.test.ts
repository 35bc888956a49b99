import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { lineCount } from "../src/line-count.js";

test("the README has the current numbers of lines", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, withGradstep, byHand] = /lines of code +(\d+) +(\d+)/.exec(readme)!.map(Number);
  expect([withGradstep, byHand]).toEqual([
    lineCount("with-gradstep.ts"),
    lineCount("by-hand/by-hand.ts") + lineCount("by-hand/shaders.ts"),
  ]);
});
