import type { Group } from "../groups/group.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { StepControl } from "../step-control/step-control.js";

/** The parts of an optimizer that its state is made of. */
export interface StateSource {
  /** The optimizer's own group first. */
  readonly groups: readonly Group[];
  readonly records: readonly ParameterRecord[];
  readonly control: StepControl | undefined;
}

/** A slot that is part of the state. */
interface SavedSlot {
  readonly name: string;
  /** Among all slots of its parameter. */
  readonly index: number;
  /** Number of values. */
  readonly size: number;
}

/** The slots of a parameter that are part of the state: metrics are not. */
export function savedSlots({ group, update }: ParameterRecord): readonly SavedSlot[] {
  return group.context.variant.slots.flatMap(({ name, isMetric }, index) =>
    isMetric ? [] : [{ name, index, size: update.slots[index].size }],
  );
}

/** The shape that a parameter had when this optimizer saw it last; another one may have moved its rows since. */
export function shapeOf({ update, size }: ParameterRecord): readonly number[] {
  const { shape } = update.parameter;
  const [, ...rest] = shape;
  return shape.length === 0 ? shape : [size / rest.reduce((product, n) => product * n, 1), ...rest];
}
