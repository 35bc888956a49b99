// Runs this repository's pnpm: `node scripts/with-pnpm.mjs exec turbo run test`.
// Under pnpm that is the pnpm that is running; under npm, the pinned one, fetched by npx.
import { spawn } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function command() {
  if (process.env.npm_config_user_agent?.startsWith("pnpm/")) return ["pnpm"];
  const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  return ["npx", "--yes", "--loglevel=error", packageManager];
}

/**
 * Starts pnpm at the root of the repository.
 *
 * @param {string[]} args
 * @param {import("node:child_process").StdioOptions} stdio
 */
export function pnpm(args, stdio) {
  const [file, ...before] = command();
  return spawn(file, [...before, ...args], {
    cwd: root,
    stdio,
    shell: process.platform === "win32",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  });
}

/** What a shell would report: 128 + the signal's number where a signal ended the process. */
export function exitStatus(code, signal) {
  return code ?? 128 + constants.signals[signal];
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const child = pnpm(process.argv.slice(2), "inherit");
  // A terminal sends Ctrl-C to the child as well; wait for it and report how it ended.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => process.exit(exitStatus(code, signal)));
}
