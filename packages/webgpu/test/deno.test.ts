import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { isFull, seed } from "../../../testing/cases.js";
import { loadSwiftShader } from "../src/node/swiftshader.js";

const folder = fileURLToPath(new URL("..", import.meta.url));

// Only tested with the software driver, so that results are the same on every machine.
const problem = loadSwiftShader();
const mustRun = process.env.CI !== undefined && process.platform === "linux";
if (problem !== undefined) console.warn(`Skipped in Deno: ${problem}`);

/** Runs a program of the test folder in Deno, and returns the JSON that it prints. */
async function deno(program: string, parameters: readonly string[]): Promise<unknown> {
  const found = dirname(createRequire(import.meta.url).resolve("deno/package.json"));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      join(found, "bin.cjs"),
      "run",
      "--allow-all",
      "--no-check",
      "--unstable-webgpu",
      // Imports name the compiled modules.
      "--unstable-sloppy-imports",
      "--node-modules-dir=manual",
      program,
      ...parameters,
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

// All of them run in Node, too.
const libraries = ["keras", "torch", "optax"];
const library = libraries[(seed + 1) % libraries.length];

describe.skipIf(problem !== undefined && !mustRun)("wgpu, in Deno", { concurrent: true }, () => {
  slowTest(
    `golden runs of ${isFull ? "all libraries" : `a sixth of ${library}`}: every step is inside the bound`,
    async () => {
      const parameters = isFull ? ["1", "0", ...libraries] : ["6", `${seed % 6}`, library];
      const results = (await deno("test/deno/golden.ts", parameters)) as {
        id: string;
        status: string;
        worstErrorOverBound: number | null;
      }[];
      expect(results.filter(({ status }) => status === "failed")).toEqual([]);
      const passed = results.filter(({ status }) => status === "passed");
      expect(passed.length).toBeGreaterThan(isFull ? 30 : 1);
      expect(passed.every(({ worstErrorOverBound: worst }) => worst !== null && worst <= 1)).toBe(
        true,
      );
    },
  );

  test("scale, skip and learning rate in a buffer: the bits of numbers", async () => {
    expect(await deno("test/deno/signals.ts", [])).toEqual({ different: 0 });
  });

  slowTest(
    `rows: kernels compile, random tensors are right, rows move (seed ${seed})`,
    async () => {
      expect(await deno("test/deno/rows.ts", [`${seed}`, isFull ? "full" : "sample"])).toEqual({
        refused: [],
        found: { values: 0, copies: 0, outside: 0 },
        rows: [5, 6, 7, 7, 7, 7, 3, 4, 5, 6],
      });
    },
  );
});
