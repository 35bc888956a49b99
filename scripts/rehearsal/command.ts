import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds after which the command is killed; three minutes if left out. */
  readonly timeout?: number;
}

/** Runs a command to its end, without a terminal. Resolves whatever its exit status is. */
export function tryCommand(
  file: string,
  args: readonly string[],
  { cwd, env = process.env, timeout = 180_000 }: CommandOptions = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      env,
      timeout,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    let stdout = "";
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      output += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (status) => {
      resolve({ status, stdout, output });
    });
  });
}

/** Runs a command and returns its standard output. @throws with everything it printed, where it fails */
export async function runCommand(
  file: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string> {
  const { status, stdout, output } = await tryCommand(file, args, options);
  if (status !== 0)
    throw new Error(`${file} ${args.join(" ")}: exit status ${String(status)}\n${output}`);
  return stdout;
}

/** A command of this repository's development dependencies. */
export function repositoryCommand(name: string): string {
  return fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));
}

/** A command of a package that npm fetches into its cache, as npx does. */
export function runNpmCommand(packageName: string, command: readonly string[]): Promise<string> {
  return runCommand("npm", ["exec", "--yes", `--package=${packageName}`, "--", ...command], {
    cwd: tmpdir(),
  });
}

/** pnpm and npm hand their settings, the registry among them, to scripts in the environment, where they win. */
export function withoutNpmSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm|pnpm)_/i.test(name)),
  );
}
