import type { StepOptions } from "@gradstep/core";
import type { FieldRequest } from "../random/random-fields.js";

/** Options of a step, and how they are given. */
export interface LaidOutStep extends Omit<StepOptions, "scale" | "skip"> {
  readonly scale?: number;
  /** Whether the scale is in memory of the backend. */
  readonly isScaleTensor?: boolean;
  /** Whether a word in memory of the backend says that the step is skipped; there is none if left out. */
  readonly isSkipped?: boolean;
}

/** The words that hold the scale of a step, and whether it is skipped. */
export const scalePart = "scale of the step";
export const skipPart = "skip of the step";

/** Both words, as fields in memory of the backend. */
export const signalFields: ReadonlyMap<string, FieldRequest> = new Map([
  [scalePart, { dtype: "f32", shape: [1] }],
  [skipPart, { dtype: "u32", shape: [1] }],
]);
