// Builds the package in the current folder, as its `prepack` script: nothing is packed without its build.
// `changeset publish` packs several packages at once, and their builds overlap; so one of them builds at a time.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { exitStatus, pnpm } from "./with-pnpm.mjs";

const dependencies = fileURLToPath(new URL("../node_modules", import.meta.url));
const lock = `${dependencies}/.prepack-lock`;
/** Milliseconds. No build takes so long, so the process that took the lock was killed. */
const abandonedAfter = 300_000;

// pnpm does not install while it packs.
if (!existsSync(`${dependencies}/.bin/turbo`)) {
  console.error("Got no installed dependencies; the build needs them. Run pnpm install first.");
  process.exit(1);
}

const { name } = JSON.parse(readFileSync("package.json", "utf8"));
while (!takeLock()) await sleep(100);
try {
  const command = [
    "exec",
    "turbo",
    "run",
    "declarations",
    `--filter=${name}`,
    "--output-logs=errors-only",
  ];
  // Standard output is for what the packing command prints.
  const child = pnpm(command, ["ignore", 2, 2]);
  process.exitCode = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(exitStatus(code, signal)));
  });
} finally {
  rmSync(lock, { recursive: true, force: true });
}

/** Takes the lock, unless another process has it. */
function takeLock() {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > abandonedAfter) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}
