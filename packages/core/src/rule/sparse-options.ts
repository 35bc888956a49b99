/** The names of `SparseOptions`. */
export const sparseOptionNames = ["sparse", "rowSteps"] as const;

/**
 * What a step does with sparse gradients: part of a spec, of a configuration, of a group, and of the options of
 * `createOptimizer`.
 */
export interface SparseOptions {
  /**
   * `"dense"`: the step with the gradient of all rows, which is 0 in rows without an index, so that momentum and decay
   * move these rows, too. `"lazy"`: only rows with an index are updated, as with a mask of these rows; cost is in
   * proportion to their number, and backends without rows refuse the step. `"dense"` if left out.
   */
  readonly sparse?: "dense" | "lazy" | undefined;
  /**
   * Whether each row counts its own steps, so that bias correction is right for rows that are updated seldom. Needs
   * `sparse: "lazy"`, and a rule without reductions and without scalars that it keeps from step to step. False if left
   * out.
   */
  readonly rowSteps?: boolean | undefined;
}
