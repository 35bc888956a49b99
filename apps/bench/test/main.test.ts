import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findGpu } from "@gradstep/apps-shared/gpu";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { slowTest } from "../../../testing/slow-test.js";
import { contenders } from "../src/contenders/index.js";
import { gpuContenders } from "../src/contenders/webgpu/index.js";
import type { Document } from "../src/document.js";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** The reason why there is neither a GPU nor a software driver, or undefined. */
const missing = await findGpu().then(
  () => undefined,
  (error: unknown) => String(error),
);
if (missing !== undefined) console.warn(`Skipped on webgpu: ${missing}`);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gradstep-bench-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(...args: string[]): Promise<Result> {
  return node(program, ...args);
}

function node(...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    // Without colors, even if `CI` is set.
    const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined };
    execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

slowTest("a quick run prints a table and writes rows", async () => {
  const file = join(folder, "rows.json");
  const { status, stdout, stderr } = await bench(
    "--quick",
    "--workload",
    "adam-1e3",
    "--json",
    file,
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("adam-1e3: 1,000 parameters in 1 tensor");
  expect(stdout.replaceAll("\n", " ")).toContain(
    "Skipped: scalars, adam-1e5, adam-1e6, adam-1.6e7, model, chains, accumulation, language-model, sparse, sparse-1e6, muon, muon-1e6.",
  );
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
    expect(Object.keys(row.speedups)).toEqual(names.filter((name) => name !== row.contender));
    expect(row.extraBytesPerParameter).toBeCloseTo(8, 0);
    expect(row.allocatedBytesPerStep).toBeGreaterThanOrEqual(0);
    expect(row.largestErrorOverTolerance).toBeLessThanOrEqual(1);
  }
});

slowTest("a quick run on a GPU says on which", async ({ skip }) => {
  skip(missing !== undefined, missing);
  const file = join(folder, "gpu.json");
  const asked = ["--quick", "--backend", "webgpu", "--workload", "adam-1e3", "--json", file];
  const { status, stdout, stderr } = await bench(...asked);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const { machine, rows } = JSON.parse(readFileSync(file, "utf8")) as Document;
  expect(stdout).toContain(machine.gpu!.description);
  expect(stdout).toMatch(
    /webgpu reaches, of a copying shader's bandwidth: [\d.,]+ % \(adam-1e3\)\n/,
  );
  expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100);
  expect(rows.map(({ contender }) => contender)).toEqual(gpuContenders.map(({ name }) => name));
  for (const { contender, extraBytesPerParameter, largestErrorOverTolerance } of rows) {
    expect([contender, largestErrorOverTolerance === null]).toEqual([
      contender,
      contender === "copy",
    ]);
    expect(largestErrorOverTolerance ?? 0).toBeLessThanOrEqual(1);
    expect(extraBytesPerParameter).toBeCloseTo(contender === "copy" ? 0 : 8, 0);
  }
});

slowTest("without a GPU or a software driver, --backend webgpu is rejected", async () => {
  const unsupported = 'data:text/javascript,Object.defineProperty(process,"arch",{value:"none"})';
  const result = await node("--import", unsupported, program, "--quick", "--backend", "webgpu");
  expect(result).toMatchObject({ status: 2, stdout: "" });
  expect(result.stderr).toMatch(
    /^Got --backend webgpu, which does not start: WebGPU in Node .*\n$/,
  );
});

slowTest("an unknown option is rejected in one line, with status 2", async () => {
  const { status, stdout, stderr } = await bench("--sizes", "10");
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(/^Got the unknown option --sizes; .*\n$/);
});

test.each(sampled(["--help", "-h"], 1))("%s prints help to standard output", async (option) => {
  const { status, stdout } = await bench(option);
  expect(status).toBe(0);
  expect(stdout).toContain("--workload NAME");
});

slowTest("finishes when its output is closed (`| head`)", async () => {
  const file = join(folder, "unread.json");
  const args = ["--quick", "--workload", "adam-1e3", "--json", file];
  const child = spawn(process.execPath, [program, ...args]);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.once("data", () => child.stdout.destroy());
  const code = await new Promise((done) => child.on("close", done));
  expect([code, stderr]).toEqual([0, ""]);
  expect(existsSync(file)).toBe(true);
});
