import type { Activation, CheckedActivation } from "@gradstep/core";
import type { FieldRequest } from "../random/random-fields.js";

/** A parameter with everything that belongs to it. */
export interface LaidOutParameter {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** Whether it is a field in a block of memory; otherwise the backend allocates it. */
  readonly isField: boolean;
  /** A caller-owned array, or a field of this type. */
  readonly gradient: "array" | Omit<FieldRequest, "shape">;
  /** The gradient is by the parameter after this activation. */
  readonly gradientActivation?: Activation;
  /** Caller-owned slots, with their shapes and values, by name. */
  readonly slots: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>
  >;
  readonly copies: readonly LaidOutCopy[];
  /** The number of rows for which fields have memory; those of the shape if left out. */
  readonly capacity?: number;
}

/** A field that holds the activated values of its parameter. */
export interface LaidOutCopy {
  readonly dtype: "f32" | "f16";
  readonly activation: Activation;
}

/** Parameters by name. */
export type LaidOutParameters = Readonly<Record<string, LaidOutParameter>>;

/** The names of what belongs to a parameter. */
export const partOf = {
  parameter: (name: string): string => `parameter "${name}"`,
  gradient: (name: string): string => `gradient of "${name}"`,
  slot: (name: string, slot: string): string => `slot ${slot} of "${name}"`,
  copy: (name: string, index: number): string => `copy ${index} of "${name}"`,
};

/** The parts of parameters that are to be placed in memory. */
export function requestsOf(parameters: LaidOutParameters): ReadonlyMap<string, FieldRequest> {
  const requests = new Map<string, FieldRequest>();
  for (const [name, parameter] of Object.entries(parameters)) {
    const { shape, isField, gradient, slots, copies } = parameter;
    const add = (part: string, request: FieldRequest): void => {
      const { capacity } = parameter;
      requests.set(part, capacity === undefined ? request : { ...request, capacity });
    };
    if (isField) add(partOf.parameter(name), { dtype: "f32", shape });
    if (gradient !== "array") add(partOf.gradient(name), { ...gradient, shape });
    for (const [slot, one] of Object.entries(slots))
      add(partOf.slot(name, slot), { dtype: "f32", shape: one.shape });
    copies.forEach(({ dtype }, k) => {
      add(partOf.copy(name, k), { dtype, shape });
    });
  }
  return requests;
}

/** An activation with all of its numbers, as a backend receives it. */
export function checkedActivation(activation: Activation): CheckedActivation {
  if (typeof activation === "string") return { kind: activation, scale: 1, offset: 0 };
  const { kind, scale, offset } = activation;
  return { kind, scale: Math.fround(scale), offset: Math.fround(offset) };
}
