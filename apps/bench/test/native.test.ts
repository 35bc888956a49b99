import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { measureNative } from "../src/native.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gradstep-bench-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function program(...lines: object[]): string {
  const path = join(folder, "limit");
  const prints = lines.map((line) => `console.log(${JSON.stringify(JSON.stringify(line))});`);
  writeFileSync(path, ["#!/usr/bin/env node", ...prints].join("\n"));
  chmodSync(path, 0o755);
  return path;
}

test("the fastest adam kernel on one thread is used, for all elements", async () => {
  const path = program(
    { name: "adam_a", N: 1000, threads: 1, ns: 2 },
    { name: "adam_b", N: 1000, threads: 1, ns: 1.5 },
    { name: "adam_b", N: 1000, threads: 2, ns: 0.7 },
    { name: "copy", N: 1000, threads: 1, ns: 0.1 },
  );
  const limit = { workload: "some", size: 1000, kernel: "adam_b", ns: 1500 };
  expect(await measureNative(path, "some", 1000)).toEqual(limit);
});

test("a program without an adam kernel is an error", async () => {
  await expect(measureNative(program(), "some", 1000)).rejects.toThrow(
    "no line for an adam kernel",
  );
});
