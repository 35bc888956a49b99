import { GradstepError } from "@gradstep/core";

/** The workgroups of a dispatch in two dimensions. */
export interface WorkgroupGrid {
  readonly x: number;
  readonly y: number;
}

/**
 * A grid with at least one workgroup per tile.
 * @throws {GradstepError} `UNSUPPORTED` if the device allows too few workgroups
 */
export function workgroupGridOf({ limits }: GPUDevice, tiles: number): WorkgroupGrid {
  const maxPerDimension = limits.maxComputeWorkgroupsPerDimension;
  if (tiles > maxPerDimension * maxPerDimension)
    throw new GradstepError(
      `A dispatch needs ${tiles} workgroups; this device allows ${maxPerDimension} × ${maxPerDimension}. Split the parameter.`,
      { code: "UNSUPPORTED" },
    );
  const x = Math.min(tiles, maxPerDimension);
  return { x, y: Math.ceil(tiles / x) };
}
