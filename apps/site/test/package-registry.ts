import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "../../../scripts/rehearsal/command.js";
import { startRegistry, type Registry } from "../../../scripts/rehearsal/registry.js";

const packages = fileURLToPath(new URL("../../../packages/", import.meta.url));

/** A registry on this machine that has the packages of this repository, as they would be published. */
export interface PackageRegistry {
  /** The environment in which npm installs from it. */
  readonly env: NodeJS.ProcessEnv;
  stop(): void;
}

/** Packs what is built, and publishes it to a registry whose files are in `folder`. */
export async function startPackageRegistry(folder: string): Promise<PackageRegistry> {
  const registry: Registry = await startRegistry(join(folder, "registry"));
  const npmrc = join(folder, "npmrc");
  writeFileSync(
    npmrc,
    `${registry.npmrc}cache=${join(folder, "npm-cache")}\naudit=false\nfund=false\nupdate-notifier=false\n`,
  );
  const env: NodeJS.ProcessEnv = {
    // Whoever started the tests (npm, pnpm) passes its own configuration on, which would win.
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(?:npm|pnpm)_/i.test(name)),
    ),
    npm_config_userconfig: npmrc,
    NO_COLOR: "1",
  };
  try {
    for (const name of readdirSync(packages)) {
      const cwd = join(packages, name);
      const path = join(cwd, "package.json");
      if (!existsSync(path)) continue;
      if ((JSON.parse(readFileSync(path, "utf8")) as { private?: boolean }).private) continue;
      const pack = ["pack", "--pack-destination", folder, "--json", "--config.ignore-scripts=true"];
      const packed = await runCommand("pnpm", pack, { cwd });
      const { filename } = JSON.parse(packed) as { filename: string };
      await runCommand("npm", ["publish", filename, "--provenance=false", "--tag=latest"], {
        cwd: folder,
        env,
      });
    }
  } catch (error) {
    registry.stop();
    throw error;
  }
  return { env, stop: () => registry.stop() };
}
