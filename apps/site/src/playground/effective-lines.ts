import type { ExplainedLine } from "@gradstep/core";

/**
 * The places of the lines that change something, in x or in y: not `p = p * decay` where decay is 1, nor the scalars that
 * only such lines read.
 * @param x the lines for x
 * @param y the same lines for y
 */
export function effectiveLines(
  x: readonly ExplainedLine[],
  y: readonly ExplainedLine[],
): readonly number[] {
  const places = x.map((_, i) => i);
  const isIdle = ({ name, reads, value }: ExplainedLine): boolean =>
    Object.hasOwn(reads, name) && Object.is(reads[name], value);
  let kept = places.filter((i) => !(isIdle(x[i]) && isIdle(y[i])));
  for (;;) {
    const read = new Set(kept.flatMap((i) => Object.keys(x[i].reads)));
    const next = kept.filter((i) => x[i].when === "per element" || read.has(x[i].name));
    if (next.length === kept.length) return next;
    kept = next;
  }
}
