import { createHash } from "node:crypto";
import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { errorCode } from "./file-system.js";

/**
 * Whether the process that wrote a file has ended, if it ran on this machine.
 * @param lastWrite when it did, in milliseconds
 */
export function isEnded(writer: number, lastWrite: number): boolean {
  // Before it was started again, a container had the same process ids.
  if (writer === process.pid) return lastWrite < Date.now() - process.uptime() * 1000 - 1000;
  try {
    process.kill(writer, 0);
    return false;
  } catch (error) {
    return errorCode(error) === "ESRCH";
  }
}

let known: string | undefined;

/** Names what process ids are unique in: the machine, and the container if there is one. */
export function machine(): string {
  if (known !== undefined) return known;
  let container = "";
  try {
    container = readlinkSync("/proc/self/ns/pid");
  } catch {
    // Only Linux has it.
  }
  return (known = createHash("sha256")
    .update(`${hostname()} ${container}`)
    .digest("hex")
    .slice(0, 8));
}
