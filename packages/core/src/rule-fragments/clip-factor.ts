/**
 * The factor that reduces a norm to a limit, as an expression: exactly 1 for a norm within the limit. It divides by no
 * zero. A norm that is NaN makes the factor NaN, so that what cannot be clipped is not used unclipped.
 * @param norm the name of the norm, ≥ 0
 * @param limit the name of the limit, ≥ 0
 */
export function clipFactor(norm: string, limit: string): string {
  return `((${norm} <= ${limit} ? 1 : ${limit}) / (${norm} <= ${limit} ? 1 : ${norm}))`;
}
