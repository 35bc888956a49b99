/** What a checker found in one step, or in many. */
export interface CheckStats {
  /** Updated elements, over all outputs. */
  elements: number;
  /** Those for which the bound excludes nothing. */
  unbounded: number;
  worstErrorOverBound: number;
  /** Those whose bits differ from the f32 reference's. */
  differingBits: number;
}

/** Nothing found yet. */
export function emptyStats(): CheckStats {
  return { elements: 0, unbounded: 0, worstErrorOverBound: 0, differingBits: 0 };
}
