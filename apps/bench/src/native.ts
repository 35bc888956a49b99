import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The speed of a native program on this machine, for one size. */
export interface Native {
  readonly workload: string;
  readonly size: number;
  /** The program's fastest Adam kernel on one thread. */
  readonly kernel: string;
  /** A step over all parameters. */
  readonly ns: number;
}

/** How often the program repeats each measurement. */
const rounds = 15;

/**
 * Runs a native program as `PROGRAM SIZE ROUNDS 0`. It prints one JSON object per line, `{ name, N, threads, ns }`, with
 * nanoseconds per element. Only kernels whose names begin with `adam` are used.
 *
 * It does not take turns with the contenders, so a comparison with them is rough.
 */
export async function measureNative(
  program: string,
  workload: string,
  size: number,
): Promise<Native> {
  const { stdout } = await promisify(execFile)(program, [`${size}`, `${rounds}`, "0"]);
  const fastest = stdout
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as { name: string; threads: number; ns: number })
    .filter(({ name, threads }) => name.startsWith("adam") && threads === 1)
    .sort((a, b) => a.ns - b.ns)[0];
  if (fastest === undefined) {
    throw new Error(`${program} printed no line for an adam kernel on one thread.`);
  }
  return { workload, size, kernel: fastest.name, ns: fastest.ns * size };
}
