import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The machine's own speed on one size, as a native program measured it. */
export interface Native {
  readonly workload: string;
  readonly size: number;
  /** The program's name for its fastest Adam on one thread. */
  readonly kernel: string;
  /** A step over all parameters. */
  readonly ns: number;
}

/** How often the program repeats its measurement. */
const rounds = 15;

/**
 * Asks a native program for its speed: it is called as `PROGRAM SIZE ROUNDS 0` and prints one JSON object a line,
 * `{ name, N, threads, ns }`, with nanoseconds an element. Kernels whose names begin with `adam` count.
 *
 * It runs by itself, and not in turn with the contenders: figures beside it are rough.
 */
export async function nativeLimit(
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
