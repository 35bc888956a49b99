import { readFileSync } from "node:fs";

/** The number of lines of a source file that are neither empty nor comments. */
export function lineCount(file: string): number {
  const text = readFileSync(new URL(`../src/${file}`, import.meta.url), "utf8");
  return text.split("\n").filter((line) => !/^\s*(?:\/\/|\/\*|\*|$)/.test(line)).length;
}
