import { GradstepError, show } from "@gradstep/core";

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
  // Boxed, since the operator `in` throws for primitive values.
  const encoder = Object(target) as object;
  if ("dispatchWorkgroups" in encoder || "beginComputePass" in encoder) return;
  throw new GradstepError(
    `Got ${show(target)} to encode into; expected a GPUCommandEncoder or a GPUComputePassEncoder.`,
    { code: "UNSUPPORTED" },
  );
}
