import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { useSwiftShader } from "../src/node/swiftshader.js";

const folder = fileURLToPath(new URL("..", import.meta.url));

// The software driver makes this the same everywhere; wgpu on other platforms' GPUs is for other days.
const problem = useSwiftShader();
const mustRun = process.env.CI !== undefined && process.platform === "linux";
if (problem !== undefined) console.warn(`Skipped in Deno: ${problem}`);

describe.skipIf(problem !== undefined && !mustRun)("wgpu, in Deno", () => {
  test("golden runs: every step inside the bound", async () => {
    const program = dirname(createRequire(import.meta.url).resolve("deno/package.json"));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        join(program, "bin.cjs"),
        "run",
        "--allow-all",
        "--no-check",
        "--unstable-webgpu",
        "--node-modules-dir=manual",
        "test/deno/golden.ts",
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
    const results = JSON.parse(stdout) as {
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
});
