import { GradstepError, show } from "../errors.js";
import type { HostArray } from "./host-array.js";

/** Factor by which capacity grows, so that a growing model is reallocated only a few times. */
const growth = 1.5;

/** The capacity to grow to when `rows` exceeds `capacity`. */
export function grownCapacity(rows: number, capacity: number): number {
  return Math.max(rows, Math.ceil(capacity * growth));
}

/** Memory for a tensor whose number of rows changes; the tensor keeps its old memory until `commit`. */
export interface Reallocation {
  /** Whether old and new values share memory. */
  readonly isInPlace: boolean;
  /** The old values, from the first one on. Rows have the distance that they have in the tensor. */
  before(): HostArray;
  /** Where the new values go. */
  after(): HostArray;
  /** Makes the new memory the tensor's. */
  commit(): void;
  /** Frees the new memory; the tensor is unchanged. */
  rollback(): void;
}

/** The error for caller-owned memory that is too small for the new rows. */
export function tooManyRows(shape: readonly number[], capacity: number): GradstepError {
  return new GradstepError(
    `Shape ${show(shape)} does not fit into wrapped memory for ${capacity} rows. Wrap it with a larger capacity, or pass replacements as \`parameters\`.`,
    { code: "INVALID_MEMORY" },
  );
}
