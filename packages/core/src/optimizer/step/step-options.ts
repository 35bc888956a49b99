import type { UnselectedRows, RowValues } from "../../backend/backend.js";
import { isRawMemory, wrapRemedy } from "../../backend/raw-memory.js";
import { checkOptions } from "../../check-options.js";
import { alternatives, GradstepError, show } from "../../errors.js";
import { isRowValues } from "../rows/row-checks.js";

/** Options of a single step. */
export interface StepOptions {
  /**
   * A mask: only rows (along the first dimension) whose u32 is not 0 are selected. One mask for all parameters of the
   * step, or masks by the names of parameters.
   */
  readonly rows?: RowValues | Readonly<Record<string, RowValues>>;
  /**
   * What happens to the other rows. `"keep"`, the default: nothing, as in PyTorch's SparseAdam. `"decay"`: their slots
   * are updated as if the gradient were 0; the parameter stays. `"zero"`: slots and parameter are updated as if the
   * gradient were 0, as Keras does with the rows that a sparse gradient leaves out.
   */
  readonly unselectedRows?: UnselectedRows;
  /**
   * Sets all gradients of the step to 0 when they have been read, also in rows that are not selected: on a GPU in the same
   * kernel. For shaders that add to them.
   */
  readonly clear?: boolean;
}

const unselectedRowsValues = ["keep", "decay", "zero"];

/**
 * Checks the options of a step, apart from the length of masks.
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function checkStepOptions(options: StepOptions): void {
  if (isRowValues(options)) {
    throw new GradstepError(`step: got ${show(options)}; expected an object, { rows }.`, {
      code: "UNKNOWN_OPTION",
    });
  }
  checkOptions("step", options, ["rows", "unselectedRows", "clear"]);
  const { rows, unselectedRows, clear } = options;
  if (clear !== undefined && typeof clear !== "boolean") {
    throw new GradstepError(`clear is ${show(clear)}; expected true or false.`, {
      code: "UNKNOWN_OPTION",
    });
  }
  if (unselectedRows !== undefined && !unselectedRowsValues.includes(unselectedRows)) {
    throw new GradstepError(
      `unselectedRows is ${show(unselectedRows)}; expected ${alternatives(unselectedRowsValues)}.`,
      {
        code: "UNKNOWN_OPTION",
      },
    );
  }
  const isOneOrByName = (value: unknown): boolean =>
    value !== null &&
    typeof value === "object" &&
    // A list, a Map or a buffer would pass for an object without masks.
    (isRowValues(value) || !(Symbol.iterator in value || isRawMemory(value)));
  if (rows !== undefined && !isOneOrByName(rows)) {
    throw new GradstepError(
      `rows is ${show(rows)}; expected a Uint32Array with one value per row, or masks by the names of parameters.${isRawMemory(rows) ? ` ${wrapRemedy(undefined, "u32")}` : ""}`,
      { code: "UNKNOWN_OPTION" },
    );
  }
}
