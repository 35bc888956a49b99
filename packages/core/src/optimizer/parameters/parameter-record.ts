import type {
  ParameterCopy,
  RowList,
  StagingTensor,
  Tensor,
  Update,
} from "../../backend/backend.js";
import type { Values } from "../../backend/memory.js";
import { plainUpdate } from "../../backend/plain-update.js";
import type { Group } from "../groups/group.js";
import type { KernelRun } from "../groups/rule-context.js";
import { rowCount } from "../rows/row-checks.js";
import type { RowLimit } from "../rows/row-limit.js";
import type { SlotResets } from "../reset/slot-resets.js";
import { RowSteps } from "../sparse/row-steps.js";
import type { NewParameter } from "./slot-allocation.js";
import type { Accumulator } from "../step-control/accumulator.js";
import type { SparseMemory } from "../sparse/sparse-memory.js";

/** A tensor of an update in the memory of the backend, rather than in that of the caller, if there is one. */
export function ownTensor({ parameter, slots }: Update): Tensor {
  if (parameter.layout === undefined) return parameter;
  return slots.find(({ layout }) => layout === undefined) ?? parameter;
}

/** Puts an array into the tensor through which the kernel of a parameter receives it, and returns that tensor. */
export type Staging = (record: ParameterRecord, values: Values) => Tensor;

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

/** What a parameter has besides its values. */
interface ParameterMemory {
  /** All slots, in the order of the variant. */
  readonly slots: readonly Tensor[];
  readonly copies: readonly ParameterCopy[];
  readonly activation: Update["gradientActivation"];
  readonly rowLimit: RowLimit | undefined;
}

/** The record of a parameter that has taken no step. */
export function parameterRecord(
  { name, tensor, group, slots: ofCaller }: NewParameter,
  { slots, copies, activation, rowLimit }: ParameterMemory,
): ParameterRecord {
  const callerSlots = new Set(Object.values(ofCaller));
  const { values, upcoming } = group.scalars;
  return {
    name,
    group,
    run: group.context.run,
    update: {
      ...plainUpdate({ parameter: tensor, gradient: tensor, slots, scalars: values }),
      upcomingScalars: upcoming,
      copies,
      gradientActivation: activation,
      mask: rowLimit?.mask,
    },
    size: tensor.size,
    ownSlots: slots.filter((slot) => !callerSlots.has(slot)),
    staging: undefined,
    gradient: undefined,
    accumulator: undefined,
    scaling: undefined,
    sparse: undefined,
    rowList: undefined,
    rowLimit,
    slotResets: undefined,
    rowSteps: group.sparseOptions.rowSteps
      ? new RowSteps(group, new Uint32Array(rowCount(name, tensor)))
      : undefined,
  };
}

/** Frees what belongs to a record alone. */
export function freeRecord({
  run,
  update,
  ownSlots,
  staging,
  gradient,
  accumulator,
  scaling,
  sparse,
  slotResets,
  rowSteps,
}: ParameterRecord): void {
  run.kernel?.release?.(update);
  const shared = new Set(run.shared.values());
  for (const slot of ownSlots) if (!shared.has(slot)) slot.free();
  staging?.free();
  gradient?.free();
  accumulator?.free();
  scaling?.parameter.free();
  sparse?.free();
  slotResets?.free();
  rowSteps?.guarded?.free();
}
