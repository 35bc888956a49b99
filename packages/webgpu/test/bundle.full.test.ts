import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "tsup";
import { afterAll, expect, test } from "vitest";
import { describe } from "./gpu.js";

// In this package, so that the bundles find its dependencies.
const folder = fileURLToPath(new URL("../node_modules/.bundle-test", import.meta.url));

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a bundled server", () => {
  test.each([
    ["esm", "mjs"],
    ["cjs", "cjs"],
  ] as const)("as %s finds the package webgpu and the software driver", async (format, ending) => {
    await build({
      entry: [fileURLToPath(new URL("bundle/server.ts", import.meta.url))],
      config: false,
      silent: true,
      format,
      outDir: folder,
      outExtension: () => ({ js: `.${ending}` }),
      platform: "node",
      noExternal: [/^@gradstep\//],
    });
    const bundle = join(folder, `server.${ending}`);
    // Bundlers that do not know the package must leave the import alone.
    const text = await readFile(bundle, "utf8");
    expect(text).toContain("webpackIgnore: true");
    expect(text).toContain("turbopackIgnore: true");
    const { stdout } = await promisify(execFile)(process.execPath, [bundle]);
    expect(stdout).toBe("0.40000");
  });
});
