import type { Gpu } from "@gradstep/apps-shared/gpu";
import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";

/** The machine that was measured, without anything that identifies it. */
export interface Machine {
  /** The GPU or software driver that computes, with `--backend webgpu`. */
  readonly gpu?: Gpu;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  readonly v8: string;
}

/** This machine, with its GPU if the contenders run on it. */
export function thisMachine(gpu?: Gpu): Machine {
  return {
    ...(gpu && { gpu }),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${platform()} ${arch()}`,
    node: process.versions.node,
    v8: process.versions.v8,
  };
}
