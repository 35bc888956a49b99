import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { loadSwiftShader } from "../src/node/swiftshader.js";

const folder = fileURLToPath(new URL("..", import.meta.url));

// The software driver makes this the same everywhere; wgpu on other platforms' GPUs is for other days.
const problem = loadSwiftShader();
const mustRun = process.env.CI !== undefined && process.platform === "linux";
if (problem !== undefined) console.warn(`Skipped in Deno: ${problem}`);

/** What a program of ours prints there. */
async function deno(program: string): Promise<unknown> {
  const found = dirname(createRequire(import.meta.url).resolve("deno/package.json"));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      join(found, "bin.cjs"),
      "run",
      "--allow-all",
      "--no-check",
      "--unstable-webgpu",
      // Modules of ours are imported under the names that they have when they are compiled.
      "--unstable-sloppy-imports",
      "--node-modules-dir=manual",
      program,
    ],
    {
      cwd: folder,
      maxBuffer: 2 ** 24,
      env: {
        ...process.env,
        NO_COLOR: "1",
        DENO_NO_UPDATE_CHECK: "1",
        LD_LIBRARY_PATH: dirname(process.env.VK_ICD_FILENAMES ?? ""),
      },
    },
  );
  return JSON.parse(stdout);
}

describe.skipIf(problem !== undefined && !mustRun)("wgpu, in Deno", () => {
  test("golden runs: every step inside the bound", async () => {
    const results = (await deno("test/deno/golden.ts")) as {
      id: string;
      status: string;
      worstErrorOverBound: number | null;
    }[];
    expect(results.filter(({ status }) => status === "failed")).toEqual([]);
    const passed = results.filter(({ status }) => status === "passed");
    expect(passed.length).toBeGreaterThan(30);
    expect(passed.every(({ worstErrorOverBound: worst }) => worst !== null && worst <= 1)).toBe(
      true,
    );
  });

  test("rows: every form compiles, random tensors are right, rows move", async () => {
    expect(await deno("test/deno/rows.ts")).toEqual({
      refused: [],
      found: { values: 0, mirrors: 0, outside: 0 },
      rows: [5, 6, 7, 7, 7, 7, 3, 4, 5, 6],
    });
  });
});
