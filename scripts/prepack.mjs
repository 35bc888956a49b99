// Builds the package in the current folder, as its `prepack` script: nothing is packed without its build.
// `changeset publish` packs several packages at once, and their builds overlap; so one of them builds at a time.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const lock = fileURLToPath(new URL("../node_modules/.prepack-lock", import.meta.url));
/** Milliseconds; no build takes so long, so whoever has held the lock since was killed. */
const abandoned = 300_000;

while (!take()) await sleep(100);
try {
  const { error, status } = spawnSync("turbo", ["run", "build", "--output-logs=errors-only"], {
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  });
  if (error) throw error;
  process.exitCode = status ?? 1;
} finally {
  rmSync(lock, { recursive: true, force: true });
}

/** Takes the lock, unless somebody else has it. */
function take() {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > abandoned) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}
