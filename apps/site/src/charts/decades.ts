/**
 * The ticks of a logarithmic axis that get a line and a text: all of them over less than three decades; otherwise powers
 * of ten, and of more than six decades as many as leave at most seven.
 *
 * @param ticks ascending
 * @returns null for each tick that gets none, as uPlot's `filter` does
 */
export function shownTicks(ticks: readonly number[], min: number, max: number): (number | null)[] {
  const decades = Math.log10(max / min);
  if (decades < 3) return [...ticks];
  const distance = Math.ceil(decades / 6);
  return ticks.map((tick) => {
    const exponent = Math.round(Math.log10(tick));
    const isPower = Math.abs(Math.log10(tick) - exponent) < 1e-9;
    return isPower && exponent % distance === 0 ? tick : null;
  });
}
