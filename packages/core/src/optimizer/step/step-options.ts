import type { RowValues, Tensor, UnselectedRows } from "../../backend/backend.js";
import { isRawMemory, wrapRemedy } from "../../backend/raw-memory.js";
import { checkChoice } from "../../argument-checks/check-choice.js";
import { checkOptions } from "../../argument-checks/check-options.js";
import { checkSwitch } from "../../argument-checks/check-switch.js";
import { GradstepError, show } from "../../errors.js";
import { isByName, isRowValues } from "../rows/row-checks.js";

/** Options of a single step. */
export interface StepOptions {
  /**
   * A mask: only rows (along the first dimension) whose u32 is not 0 are selected. One mask for all parameters of the
   * step, or masks by the names of parameters.
   */
  readonly rows?: RowValues | Readonly<Record<string, RowValues>> | undefined;
  /**
   * What happens to the other rows. `"keep"`, the default: nothing, as in PyTorch's SparseAdam. `"decay"`: their slots
   * are updated as if the gradient were 0; the parameter stays. `"zero"`: slots and parameter are updated as if the
   * gradient were 0, as Keras does with the rows that a sparse gradient leaves out.
   */
  readonly unselectedRows?: UnselectedRows | undefined;
  /**
   * Sets all gradients of the step to 0 once they have been read, on a GPU in the same kernel: for shaders that add to
   * them. Rows that are not selected and gradients of a skipped step are cleared, too; a step that throws, also with
   * `nonFinite: "throw"`, leaves them. Tensors must not share memory with another gradient.
   */
  readonly clear?: boolean | undefined;
  /**
   * Multiplies all gradients of the step before everything else, in the precision of the backend: for clipping by a norm
   * of your own, or the mean of several views. A number, or a tensor of one f32.
   */
  readonly scale?: number | Tensor | undefined;
  /**
   * A tensor of one u32. If it is not 0, the step changes no parameter, slot or copy, but counts as a step, because
   * the host does not know what the device decides. With `clear`, gradients are cleared nevertheless. `nonFinite: "skip"`
   * does not count the steps that it skips.
   */
  readonly skip?: Tensor | undefined;
  /**
   * The learning rate of this step: a number, or a tensor of one f32. As if `optimizer.learningRate` were set for one
   * step: groups with a rate or a rule of their own keep theirs. Rates by the names of parameters replace those of their
   * groups: name all parameters of a group that are part of the step, with the same rate. With `accumulate`, the rate is that of
   * the call that completes the step.
   */
  readonly learningRate?: StepRate | Readonly<Record<string, StepRate>> | undefined;
}

/** A learning rate, or a tensor of one f32 that has it when the step is executed. */
export type StepRate = number | Tensor;

const stepOptionNames = ["rows", "unselectedRows", "clear", "scale", "skip", "learningRate"];

/** What `unselectedRows` can be. */
export const unselectedRowsValues: readonly unknown[] = ["keep", "decay", "zero"];

/**
 * Checks the options of a step, apart from the length of masks, and from scale, skip and learningRate.
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function checkStepOptions(options: StepOptions): void {
  checkOptions("step", options, stepOptionNames);
  const { rows, unselectedRows, clear } = options;
  checkSwitch("step", "clear", clear);
  if (unselectedRows !== undefined)
    checkChoice("step", "unselectedRows", unselectedRows, unselectedRowsValues);
  if (rows !== undefined && !isRowValues(rows) && !isByName(rows)) {
    throw new GradstepError(
      `rows is ${show(rows)}; expected a Uint32Array with one value per row, or masks by the names of parameters.${isRawMemory(rows) ? ` ${wrapRemedy(undefined, "u32")}` : ""}`,
      { code: "UNKNOWN_OPTION" },
    );
  }
}
