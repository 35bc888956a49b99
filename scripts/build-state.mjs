// Whether the build is newer than its sources, told from sizes and times of files alone, in some milliseconds.
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const sources = [
  "package.json",
  "pnpm-lock.yaml",
  "pnpm-workspace.yaml",
  "tsconfig.base.json",
  "tsup.base.ts",
  "turbo.json",
  "apps",
  "packages",
];
/** Folders that are no source of a build. */
const notSources = new Set(["dist", "generated", "node_modules", "test", ".turbo"]);

/** A hash that changes with any source. */
export function sourceState() {
  const hash = createHash("sha1");
  for (const path of sources) add(hash, path, (name) => !notSources.has(name));
  return hash.digest("hex");
}

/** A hash that changes with anything that was installed or built. */
export function outputState() {
  const hash = createHash("sha1");
  add(hash, "node_modules/.modules.yaml", () => true);
  for (const group of ["apps", "packages"]) {
    for (const name of readdirSync(root + group)) add(hash, `${group}/${name}/dist`, () => true);
  }
  return hash.digest("hex");
}

/** What `writeState` recorded for a build, if anything. */
export function readState(build) {
  try {
    return JSON.parse(readFileSync(stateFile(build), "utf8"));
  } catch {
    return undefined;
  }
}

/** Records the states of a finished build. */
export function writeState(build, state) {
  mkdirSync(dirname(stateFile(build)), { recursive: true });
  writeFileSync(stateFile(build), JSON.stringify(state));
}

function stateFile(build) {
  return `${root}node_modules/.cache/gradstep/${build.replaceAll(/[^\w-]+/g, "-")}.json`;
}

function add(hash, path, includes) {
  const stats = lstatSync(root + path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) {
    for (const name of readdirSync(root + path).sort())
      if (includes(name)) add(hash, `${path}/${name}`, includes);
  } else if (stats !== undefined) {
    hash.update(`${path} ${stats.size} ${stats.mtimeMs}\n`);
  }
}
