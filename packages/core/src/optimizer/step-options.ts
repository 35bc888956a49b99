import type { UnselectedRows, RowValues } from "../backend/backend.js";
import { checkOptions } from "../check-options.js";
import { GradstepError, list, show } from "../errors.js";
import { isRowValues } from "./row-values.js";

/** What a single step can be told. */
export interface StepOptions {
  /**
   * Only the rows (along the first dimension) whose u32 is not 0 are stepped: for all parameters of the step, or by the
   * names of some.
   */
  readonly rows?: RowValues | Readonly<Record<string, RowValues>>;
  /**
   * What happens to the other rows. `"keep"`, the default: nothing, as PyTorch's SparseAdam does. `"decay"`: their
   * slots are updated as by a gradient of 0, the parameter stays. `"zero"`: all is updated as by a gradient of 0, as
   * Keras does with the rows that a sparse gradient leaves out.
   */
  readonly unselectedRows?: UnselectedRows;
}

const unselectedRows = ["keep", "decay", "zero"];

/**
 * Whether it has the form of options for a step.
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function checkStepOptions(options: StepOptions): void {
  if (isRowValues(options)) {
    throw new GradstepError(`step: got ${show(options)}; expected it in an object, { rows }.`, {
      code: "UNKNOWN_OPTION",
    });
  }
  checkOptions("step", options, ["rows", "unselectedRows"]);
  const { rows, unselectedRows: others } = options;
  if (others !== undefined && !unselectedRows.includes(others)) {
    throw new GradstepError(
      `unselectedRows is ${show(others)}; expected ${list(unselectedRows.map(show))}.`,
      {
        code: "UNKNOWN_OPTION",
      },
    );
  }
  const isOneOrByName = (value: unknown): boolean =>
    value !== null &&
    typeof value === "object" &&
    // A list or a Map has no masks by name: it would pass for an object without any.
    (isRowValues(value) || !(Symbol.iterator in value));
  if (rows !== undefined && !isOneOrByName(rows)) {
    throw new GradstepError(
      `rows is ${show(rows)}; expected a Uint32Array with one value for each row, or such masks by the names of parameters.`,
      { code: "UNKNOWN_OPTION" },
    );
  }
}
