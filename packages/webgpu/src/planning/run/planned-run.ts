import type { Update, Variant } from "@gradstep/core";
import type { ElementTemporaries } from "../../memory/element-temporaries.js";
import type { VariantKernels } from "../../shaders/variant-kernels.js";
import type { StepKernels } from "../dispatch/step-kernels.js";
import type { RowView, RowListView } from "../../memory/buffer-views.js";

/** The tensors that one rule updates in a step. */
export interface PlannedRun {
  readonly variant: Variant;
  readonly kernels: StepKernels;
  readonly programs: VariantKernels;
  readonly updates: readonly Update[];
  readonly temporaries: Pick<ElementTemporaries, "viewOf">;
  /** The mask of an update on the device. */
  readonly maskOf: (index: number) => RowView | undefined;
  /** The list of rows of an update on the device. */
  readonly listOf: (index: number) => RowListView | undefined;
}
