/** What a checker found in one step, or in many. */
export interface CheckStats {
  /** Updated elements, over all outputs. */
  elements: number;
  /** Those for which the bound excludes nothing. */
  unbounded: number;
  worstErrorOverBound: number;
  /** Those whose bits differ from the f32 reference's. */
  differingBits: number;
  /** Random cases. */
  cases: number;
}

/** Nothing found yet. */
export function emptyStats(): CheckStats {
  return { elements: 0, unbounded: 0, worstErrorOverBound: 0, differingBits: 0, cases: 0 };
}

/** Adds what another check found. */
export function addStats(to: CheckStats, from: Readonly<CheckStats>): void {
  to.elements += from.elements;
  to.unbounded += from.unbounded;
  to.worstErrorOverBound = Math.max(to.worstErrorOverBound, from.worstErrorOverBound);
  to.differingBits += from.differingBits;
  to.cases += from.cases;
}
