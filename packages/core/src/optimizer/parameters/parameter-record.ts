import type { RowList, StagingTensor, Tensor, Update } from "../../backend/backend.js";
import type { Group } from "../groups/group.js";
import type { KernelRun } from "../groups/rule-context.js";
import type { RowLimit } from "../rows/row-limit.js";
import type { SlotResets } from "../reset/slot-resets.js";
import type { RowSteps } from "../sparse/row-steps.js";
import type { Accumulator } from "../step-control/accumulator.js";
import type { SparseMemory } from "../sparse/sparse-memory.js";

/** A tensor of an update in the memory of the backend, rather than in that of the caller, if there is one. */
export function ownTensor({ parameter, slots }: Update): Tensor {
  if (parameter.layout === undefined) return parameter;
  return slots.find(({ layout }) => layout === undefined) ?? parameter;
}

/** One parameter of an optimizer, and what belongs to it. */
export interface ParameterRecord {
  readonly name: string;
  readonly group: Group;
  /** That of the group's rule. */
  readonly run: KernelRun;
  update: Update;
  /** Its slots without those in caller-owned memory. */
  ownSlots: readonly Tensor[];
  /** Number of values in the parameter and in each slot. */
  size: number;
  /** The tensor through which the kernel receives typed arrays; made for the first one. */
  staging: StagingTensor | undefined;
  /** What `optimizer.gradient` returned; made on first use. */
  gradient: Tensor | undefined;
  /** Made for the first gradient, if gradients are accumulated or scaled. */
  accumulator: Accumulator | undefined;
  /** What multiplies its gradient: `parameter` is the product. Made for the first scale, if the kernels take none. */
  scaling: Update | undefined;
  /** Made for the first sparse gradient. */
  sparse: SparseMemory | undefined;
  /** The rows of the last lazy step. */
  rowList: { -readonly [K in keyof RowList]: RowList[K] } | undefined;
  /** The number of rows, if it is on the device or smaller than that of the tensors. */
  rowLimit: RowLimit | undefined;
  /** Made for the first reset. */
  slotResets: SlotResets | undefined;
  /** Undefined unless rows count their own steps. */
  rowSteps: RowSteps | undefined;
}
