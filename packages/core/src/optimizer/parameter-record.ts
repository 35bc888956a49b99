import type { StagingTensor, Tensor, Update } from "../backend/backend.js";
import type { Group } from "./groups.js";

/** One parameter of an optimizer. */
export interface ParameterRecord {
  readonly name: string;
  readonly group: Group;
  update: Update;
  /** Values in the parameter and each slot. */
  size: number;
  /** Where typed arrays enter; made when the first one comes. */
  staging: StagingTensor | undefined;
  /** What `gradient` gave; made when it is asked for. */
  gradient: Tensor | undefined;
}
