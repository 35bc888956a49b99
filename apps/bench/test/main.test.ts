import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { contenders } from "../src/contenders/index.js";
import type { Document } from "../src/document.js";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gradstep-bench-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test("a quick run prints a table and writes rows", { timeout: 60_000 }, async () => {
  const file = join(folder, "rows.json");
  const { status, stdout, stderr } = await bench(
    "--quick",
    "--workload",
    "adam-1e3",
    "--json",
    file,
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("adam-1e3: 1,000 parameters in one tensor");
  expect(stdout).toContain("Left out: scalars, adam-1e5, adam-1e6, adam-1.6e7, model.");
  expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100);

  const names = contenders.map(({ name }) => name);
  const document = JSON.parse(readFileSync(file, "utf8")) as Document;
  expect(document).toMatchObject({
    quick: true,
    seed: 1,
    machine: { node: process.versions.node },
  });
  expect(document.rows.map(({ contender }) => contender)).toEqual(names);
  for (const row of document.rows) {
    expect(row).toMatchObject({ workload: "adam-1e3", size: 1000, tensors: 1 });
    expect(row.medianNs).toBeGreaterThanOrEqual(row.minNs);
    expect(row.minNs).toBeGreaterThan(0);
    expect(Object.keys(row.ratios)).toEqual(names.filter((name) => name !== row.contender));
    expect(row.extraBytesPerParameter).toBeCloseTo(8, 0);
    expect(row.allocatedBytesPerStep).toBeGreaterThanOrEqual(0);
    expect(row.worstErrorOverTolerance).toBeLessThanOrEqual(1);
  }
});

test("a wrong option is one line and status 2", async () => {
  const { status, stdout, stderr } = await bench("--sizes", "10");
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(/^Got the unknown option --sizes; .*\n$/);
});

test("help goes to standard output", async () => {
  const { status, stdout } = await bench("--help");
  expect(status).toBe(0);
  expect(stdout).toContain("--workload NAME");
});
