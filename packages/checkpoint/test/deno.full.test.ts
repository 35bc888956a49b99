import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { storeContract } from "./stores/store-contract.js";

const deno = dirname(createRequire(import.meta.url).resolve("deno/package.json"));

test("fileStore and memoryStore in Deno: what every store promises", async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      join(deno, "bin.cjs"),
      "run",
      "--allow-all",
      "--no-check",
      // Imports name the compiled modules.
      "--unstable-sloppy-imports",
      "--node-modules-dir=manual",
      "test/deno/stores.ts",
    ],
    {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    },
  );
  const { passed, failed } = JSON.parse(stdout) as { passed: string[]; failed: string[] };
  expect(failed).toEqual([]);
  expect(passed.length).toBe(2 * Object.keys(storeContract).length);
});
