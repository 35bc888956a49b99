import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "./command.js";
import type { Registry } from "./registry.js";

/** A package that was published. */
export interface Published {
  readonly name: string;
  readonly version: string;
}

/** The files of the working tree that git does not ignore, in a repository of their own with one commit. */
export async function copyRepository(source: string, target: string): Promise<void> {
  const listed = await runCommand(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: source },
  );
  for (const path of listed.split("\0")) {
    // A file that was deleted is still listed until that is staged.
    if (path === "" || !existsSync(join(source, path))) continue;
    mkdirSync(dirname(join(target, path)), { recursive: true });
    cpSync(join(source, path), join(target, path));
  }
  const git = (...args: string[]): Promise<string> =>
    runCommand(
      "git",
      ["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost", ...args],
      {
        cwd: target,
      },
    );
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message=Rehearsal");
}

/**
 * Releases the copy of the repository to the registry, with the commands of a real release. Each package is packed by
 * its `prepack` script, so the build is part of it.
 */
export async function release(copy: string, registry: Registry): Promise<Published[]> {
  const userConfig = join(copy, "..", "npmrc");
  writeFileSync(userConfig, registry.npmrc);
  const env: NodeJS.ProcessEnv = {
    // Whoever started this (npx, pnpm) passes its own configuration on, which would win.
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^p?npm_config_/i.test(name)),
    ),
    CI: "true",
    npm_config_registry: `${registry.url}/`,
    npm_config_userconfig: userConfig,
    NPM_CONFIG_USERCONFIG: userConfig,
  };
  // Whatever the configuration says, nothing can be published anywhere else.
  for (const path of manifestsOf(copy)) {
    const manifest = JSON.parse(readFileSync(path, "utf8")) as { publishConfig?: object };
    manifest.publishConfig = { ...manifest.publishConfig, registry: `${registry.url}/` };
    writeFileSync(path, JSON.stringify(manifest, null, 2));
  }
  const pnpm = (...args: string[]): Promise<string> =>
    runCommand("pnpm", args, { cwd: copy, env, timeout: 600_000 });
  await runCommand("pnpm", ["install", "--frozen-lockfile", "--prefer-offline"], { cwd: copy });
  // Without a changeset this changes nothing, and the current versions are rehearsed.
  await pnpm("exec", "changeset", "version");
  await pnpm("exec", "changeset", "publish", "--no-git-tag");
  return manifestsOf(copy).map((manifest) => {
    const { name, version } = JSON.parse(readFileSync(manifest, "utf8")) as Published;
    return { name, version };
  });
}

/** The `package.json` files of the packages that are published. */
function manifestsOf(repository: string): string[] {
  return readdirSync(join(repository, "packages"))
    .map((name) => join(repository, "packages", name, "package.json"))
    .filter(
      (path) =>
        existsSync(path) &&
        !(JSON.parse(readFileSync(path, "utf8")) as { private?: boolean }).private,
    );
}
