import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, vi } from "vitest";
import { runCommand } from "../src/cli/run-command.js";

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
export const fixtures = fileURLToPath(new URL("../fixtures", import.meta.url));

/** A directory for the files of a test file, which is removed at its end. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "gradstep-conformance-"));
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

beforeAll(() => {
  if (!existsSync(cli)) throw new Error("Build first: the tests run dist/cli.js.");
});

interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

/** As typed in `from`, while the process itself runs elsewhere, as under pnpm. */
export function run(args: readonly string[], from = fixtures): Promise<Outcome> {
  return new Promise((done) => {
    const environment = {
      ...process.env,
      INIT_CWD: from,
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
    };
    execFile(
      process.execPath,
      [cli, ...args],
      { cwd: tmpdir(), env: environment },
      (error, output, errors) => {
        done({ status: error === null ? 0 : Number(error.code), output, errors });
      },
    );
  });
}

/** As `run`, in this process, which starts faster and is warm: for what does not depend on the process. */
export async function runHere(args: readonly string[], from = fixtures): Promise<Outcome> {
  vi.stubEnv("INIT_CWD", from);
  vi.stubEnv("FORCE_COLOR", undefined);
  const output = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const errors = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const textOf = (spy: typeof output): string =>
    spy.mock.calls.map(([text]) => String(text)).join("");
  try {
    const status = await runCommand(args);
    return { status, output: textOf(output), errors: textOf(errors) };
  } finally {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  }
}

/** For tests of the command, not of the suite. */
export const little = ["--cases", "1", "--kernels", "2"];
