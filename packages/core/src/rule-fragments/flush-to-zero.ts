/*
 * Without gradients, a moving average decays into the subnormal numbers and stays there: a correctly rounded x − x·c
 * stops at some multiple of the smallest one. Processors take three times as long over subnormals. So in every 64th step
 * values too small to matter become 0, long before that. In the other steps the threshold is 0, the statement below
 * reads `x = x`, and a backend may omit it.
 */

/** For an average of gradients: far below anything that moves a parameter, and far enough above 2⁻¹²⁶ for products. */
export const negligibleMean = "2 ** -96";

/** For a value to which ε is added: in f32 the sum is ε with it and without it. 0 where ε is 0. */
export const negligibleMagnitude = "epsilon * 2 ** -28";

/** For a value whose root is added to ε, or that is added to ε itself. */
export const negligibleSquare = "(epsilon * 2 ** -28) ** 2";

/** The `perStep` statement for the magnitude below which a slot is set to 0. */
export function flushThreshold(slot: string, threshold: string): string {
  return `${slot}FlushThreshold = floor(t / 64) * 64 == t ? ${threshold} : 0`;
}

/** The `perElement` statement; it comes before anything that reads the slot. */
export function flushStatement(slot: string): string {
  return `${slot} = abs(${slot}) < ${slot}FlushThreshold ? 0 : ${slot}`;
}
