import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";

/** A machine, without anything that identifies it. */
export interface Machine {
  readonly cpu: string;
  /** Processors that programs may use at the same time. */
  readonly processors: number;
  readonly memoryGiB: number;
  /** Such as `linux x64`. */
  readonly platform: string;
  readonly release: string;
  /** The runtime and its version, such as `Node 20.20.0`. */
  readonly runtime: string;
}

/** The machine on which this runs. */
export function thisMachine(): Machine {
  const { bun, deno, node } = process.versions as { bun?: string; deno?: string; node: string };
  return {
    cpu: cpus()[0]?.model.trim() || "unknown CPU",
    processors: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${platform()} ${arch()}`,
    release: release(),
    runtime: bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node ${node}`,
  };
}
