import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "tsup";
import { expect, test } from "vitest";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const config = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  compatibilityDate = "2026-01-01",
  modules = [
    (name = "worker", esModule = embed "worker.js"),
    (name = "adam.wasm", wasm = embed "adam.wasm"),
  ],
))]);
`;

/** Where there is no such binary, as on Alpine or FreeBSD. */
async function workerd(): Promise<string | undefined> {
  try {
    const { default: path } = createRequire(import.meta.url)("workerd") as { default: string };
    await promisify(execFile)(path, ["--version"]);
    return path;
  } catch {
    return undefined;
  }
}

const binary = await workerd();

test.skipIf(binary === undefined)(
  "in workerd, where compiling is forbidden, the package's modules give the reference's bits",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "gradstep-workerd-"));
    try {
      await build({
        config: false,
        entry: [here("workerd/worker.ts")],
        outDir: folder,
        format: "esm",
        target: "es2022",
        bundle: true,
        noExternal: [/gradstep/],
        external: ["adam.wasm"],
        platform: "neutral",
        silent: true,
        splitting: false,
      });
      copyFileSync(here("../dist/rules/adam.wasm"), join(folder, "adam.wasm"));
      writeFileSync(join(folder, "config.capnp"), config);
      const run = promisify(execFile)(binary!, ["test", join(folder, "config.capnp")], {
        timeout: 60_000,
      });
      await expect(run).resolves.toBeDefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
