import type { Count, Extent, Temporary } from "@gradstep/core";
import { countOf } from "@gradstep/core/internal";
import type { CountKernel } from "../../shaders/variant-kernels.js";
import type { PlannedRun } from "./planned-run.js";
import type { ScratchLayout } from "./scratch-layout.js";
import { stepTargetOf, type ArrayLocation, type StepTarget } from "../dispatch/step-target.js";

/** A reduction over all tensors of one or several runs. */
export interface SharedReduction {
  /** The number of tensors. */
  readonly length: number;
  /** Where the value of each tensor is put, one after the other. */
  readonly source: number;
  readonly target: number;
}

/** A count that the device finds, since it depends on masks. */
export interface DeviceCount extends CountKernel {
  /** Where the results of the targets are. */
  readonly starts: readonly number[];
  /** The targets with the locations of the weights. */
  readonly targets: readonly StepTarget[];
}

/** The tensors of a run with the locations of their temporaries and counts. */
export interface RunAllocation {
  readonly targets: readonly (StepTarget & { readonly locations: Map<string, ArrayLocation> })[];
  readonly deviceCounts: readonly DeviceCount[];
}

/**
 * Reserves scratch memory for the temporaries and counts of a run.
 * @param sharedOf where a temporary of the extent `all` is
 */
export function allocateRun(
  { variant, updates, programs, maskOf, listOf, temporaries }: PlannedRun,
  sharedOf: (temporary: Temporary) => SharedReduction,
  scratch: ScratchLayout,
): RunAllocation {
  const targets = updates.map((update, t) => stepTargetOf(variant, update, maskOf(t), listOf(t)));
  for (const temporary of variant.passPlan.temporaries) {
    const { name, extent } = temporary;
    if (extent === "all") {
      const location = scratchLocation(sharedOf(temporary).target);
      for (const { locations } of targets) locations.set(name, location);
      continue;
    }
    targets.forEach(({ locations, dimensions, perRowOf }, t) => {
      const length = countOf(extent, dimensions);
      const view =
        extent === "element"
          ? temporaries.viewOf(name, t)
          : { buffer: undefined, start: scratch.reserve(length) };
      const perRow = perRowOf(extent);
      locations.set(name, {
        ...view,
        length,
        perRow,
        width: perRow,
        stride: perRow,
        isPadded: true,
      });
    });
  }
  const hasMask = updates.some(
    ({ mask, unselectedRows }) => mask !== undefined && unselectedRows === "keep",
  );
  const deviceCounts: DeviceCount[] = [];
  for (const one of programs.counts) {
    if (hasMask && dependsOnMasks(one.count)) {
      deviceCounts.push(allocateDeviceCount(one, targets, scratch));
      continue;
    }
    const { name, of, per } = one.count;
    for (const { locations, dimensions } of targets)
      locations.set(name, scratchLocation(scratch.constant(hostCount(of, per, dimensions))));
  }
  return { targets, deviceCounts };
}

/** The location of one value for all elements of a tensor, in the scratch buffer. */
export function scratchLocation(start: number): ArrayLocation {
  return { buffer: undefined, start, length: 1, perRow: 0, width: 0, stride: 0, isPadded: true };
}

function hostCount(of: Extent, per: Extent, dimensions: StepTarget["dimensions"]): number {
  return countOf(of, dimensions) / countOf(per, dimensions);
}

/** Rows that are left out have no values; the others have all. */
function dependsOnMasks({ of, per }: Count): boolean {
  return of !== "tensor" && per !== "row";
}

function allocateDeviceCount(
  one: CountKernel,
  targets: readonly (StepTarget & { readonly locations: Map<string, ArrayLocation> })[],
  scratch: ScratchLayout,
): DeviceCount {
  const { name, of, per } = one.count;
  const first = scratch.reserve(targets.length);
  const weighted: StepTarget[] = [];
  const starts: number[] = [];
  targets.forEach((step, t) => {
    const { locations, dimensions, perRowOf } = step;
    // A mask leaves out whole matrices of a batch.
    if (per === "column" && perRowOf("column") > 0) {
      locations.set(name, scratchLocation(scratch.constant(dimensions.rows)));
      return;
    }
    // A column has one element per row.
    const weight = of === "element" && per !== "column" ? dimensions.columns : 1;
    locations.set(name, scratchLocation(first + t));
    const weightLocation = scratchLocation(scratch.constant(weight));
    weighted.push({ ...step, locations: new Map([...locations, ["@weight", weightLocation]]) });
    starts.push(first + t);
  });
  return { ...one, starts, targets: weighted };
}
