import { GradstepError, show } from "@gradstep/core";
import { checkOptions } from "@gradstep/core/internal";
import { bufferUsage } from "../device/webgpu-constants.js";

/** Options of a tensor in a GPUBuffer of its own. */
export interface OwnBufferOptions {
  readonly ownBuffer: true;
  /** Flags of `GPUBufferUsage` besides STORAGE, COPY_SRC and COPY_DST, such as VERTEX. */
  readonly usage?: GPUBufferUsageFlags | undefined;
}

/**
 * Checks the options, and returns the additional usage.
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_MEMORY`
 */
export function ownBufferUsage(options: OwnBufferOptions): number {
  checkOptions("tensor", options, ["ownBuffer", "usage"]);
  const { ownBuffer, usage = 0 } = options;
  if ((ownBuffer as unknown) !== true)
    throw new GradstepError(`ownBuffer is ${show(ownBuffer)}; expected true.`, {
      code: "UNKNOWN_OPTION",
    });
  const isUsage = Number.isInteger(usage) && usage >= 0 && (usage & mapUsage) === 0;
  if (!isUsage)
    throw new GradstepError(
      `Got usage ${show(usage)} for a tensor; expected flags of GPUBufferUsage, such as VERTEX, without MAP_READ and MAP_WRITE, which storage buffers cannot have.`,
      { code: "INVALID_MEMORY" },
    );
  return usage;
}

const mapUsage = bufferUsage.MAP_READ | bufferUsage.MAP_WRITE;
