import { GradstepError, show } from "@gradstep/core";
import { propertyOf } from "@gradstep/core/internal";

/** An encoder of the caller that `optimizer.encode` records into. */
export type EncodeTarget = GPUCommandEncoder | GPUComputePassEncoder;

/**
 * The pass to record into: that of the caller, or a new one in the caller's encoder, which `end` ends.
 * @param label of a new pass
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function passOf(
  target: object,
  label: string,
): {
  readonly pass: GPUComputePassEncoder;
  readonly end: () => void;
} {
  checkTarget(target);
  const encoder = target as EncodeTarget;
  if ("dispatchWorkgroups" in encoder) return { pass: encoder, end: () => {} };
  const pass = encoder.beginComputePass({ label });
  return { pass, end: () => pass.end() };
}

/** @throws {GradstepError} `UNSUPPORTED` */
export function checkTarget(target: object): void {
  if (has(target, "dispatchWorkgroups") || has(target, "beginComputePass")) return;
  throw new GradstepError(
    `Got ${show(target)} to encode into; expected a GPUCommandEncoder or a GPUComputePassEncoder.`,
    { code: "UNSUPPORTED" },
  );
}

function has(target: unknown, method: string): boolean {
  return typeof propertyOf(target, method) === "function";
}
