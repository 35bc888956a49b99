import type { Tensor } from "../../backend/backend.js";
import type { RowCounts } from "../rows/row-limit.js";
import type { ActivatedGradients } from "./activated-gradients.js";
import type { SlotTable } from "./caller-slots.js";
import type { CopyTable } from "./copy-options.js";

/** Options of single parameters, by their names. */
export interface ParameterOptions<T extends Tensor = Tensor> {
  /**
   * Tensors that each step fills with the new values of parameters, for renderers and models: packed as f16, at any
   * stride, after an activation. Words may hold values of several parameters, and other data.
   */
  readonly copies?: CopyTable<T> | undefined;
  /**
   * Parameters whose gradients are taken with respect to their activated values, such as sigmoid(opacity): a step applies
   * the chain rule before anything else.
   */
  readonly activatedGradients?: ActivatedGradients | undefined;
  /**
   * Slots in caller-owned memory, by the names of parameters and slots: `{ opacity: { m, v } }`. They keep their
   * values; `optimizer.reset()` sets them to the initial values of the rule. They are not freed with the optimizer.
   */
  readonly slots?: SlotTable<T> | undefined;
  /**
   * The numbers of rows of parameters whose tensors have space for more: one for all of these parameters, or by their
   * names. Steps leave out the rows from that number on, unless they have a mask. On WebGPU it can be a u32 tensor that is
   * read when a step is executed, as in `RemapOptions`. All rows if left out. Ends when rows are moved.
   */
  readonly rowCounts?: RowCounts<T> | undefined;
}

/** The names of `ParameterOptions`. */
export const parameterOptionNames = ["copies", "activatedGradients", "slots", "rowCounts"] as const;
