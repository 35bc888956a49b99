import { GradstepError } from "@gradstep/core";

/** Workgroups of a dispatch: so many in a row, and so many rows. */
export interface Grid {
  readonly x: number;
  readonly y: number;
}

/**
 * A grid with at least so many workgroups.
 * @throws {GradstepError} `UNSUPPORTED` where the device has too few
 */
export function gridOf({ limits }: GPUDevice, tiles: number): Grid {
  const widest = limits.maxComputeWorkgroupsPerDimension;
  if (tiles > widest * widest)
    throw new GradstepError(
      `A dispatch needs ${tiles} workgroups; this device has ${widest} × ${widest}.`,
      { code: "UNSUPPORTED" },
    );
  const x = Math.min(tiles, widest);
  return { x, y: Math.ceil(tiles / x) };
}
