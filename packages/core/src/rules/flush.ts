/*
 * Where gradients stay zero, a mean decays until it is a subnormal number and then stays one: a correctly rounded
 * x − x·c stops at some multiple of the smallest. Processors take three times as long over subnormals, for ever. So at
 * every 64th step what is too small to matter becomes 0, long before that. At the other steps the limit is 0, the line
 * below says `x = x`, and a backend may leave it out.
 */

/** For a mean of gradients: far below what moves a parameter, and so far above 2⁻¹²⁶ that its products are, too. */
export const negligibleMean = "2 ** -96";

/** For what ε is added to: the sum is ε in f32 with it and without. Nothing where ε is 0. */
export const negligibleMagnitude = "epsilon * 2 ** -28";

/** For what has ε added to its root, or is added to ε: as above. */
export const negligibleSquare = "(epsilon * 2 ** -28) ** 2";

/** The scalar below which a slot comes to rest. */
export function flushThreshold(slot: string, limit: string): string {
  return `${slot}FlushThreshold = floor(t / 64) * 64 == t ? ${limit} : 0`;
}

/** The line for each element; it stands before all that reads the slot. */
export function flushStatement(slot: string): string {
  return `${slot} = abs(${slot}) < ${slot}FlushThreshold ? 0 : ${slot}`;
}
