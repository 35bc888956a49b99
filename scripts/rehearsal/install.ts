import { mkdirSync, readdirSync, copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand, withoutNpmSettings } from "./command.js";
import type { Registry } from "./registry.js";

const programs = fileURLToPath(new URL("programs", import.meta.url));

/** A new project in `folder` with these packages, installed by name from the registry, and with the programs. */
export async function newProject(
  folder: string,
  packages: readonly string[],
  registry: Registry,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "project", private: true, type: "module" }),
  );
  writeFileSync(
    join(folder, ".npmrc"),
    `registry=${registry.installUrl}\ncache=${join(folder, ".npm-cache")}\naudit=false\nfund=false\n`,
  );
  await runCommand("npm", ["install", ...packages], {
    cwd: folder,
    env: withoutNpmSettings(),
    timeout: 600_000,
  });
  for (const name of readdirSync(programs)) copyFileSync(join(programs, name), join(folder, name));
}
