import { vi } from "vitest";
import { runCommand } from "../src/run-command.js";

/** What a run of the command has written, and its exit status. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in this process, which is faster: for what does not depend on the process. */
export async function runHere(...args: readonly string[]): Promise<Output> {
  const stdout = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const textOf = ({ mock }: typeof stdout): string =>
    mock.calls.map(([text]) => String(text)).join("");
  const listeners = process.listeners("SIGINT");
  try {
    const code = await runCommand(args);
    return { code, stdout: textOf(stdout), stderr: textOf(stderr) };
  } finally {
    vi.restoreAllMocks();
    for (const listener of process.listeners("SIGINT"))
      if (!listeners.includes(listener)) process.off("SIGINT", listener);
  }
}
