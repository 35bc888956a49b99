/** Leading digits of the ticks on an axis, by the number of decades that it covers at most. */
const digits: readonly (readonly [decades: number, readonly number[]])[] = [
  [0.4, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [1.3, [1, 2, 3, 5]],
  [3, [1, 2, 5]],
];

/**
 * The ticks of a logarithmic axis that get a line and a text: over less than three decades those whose texts do not
 * overlap; otherwise powers of ten, and of more than six decades as many as leave at most seven.
 *
 * @param ticks ascending
 * @returns null for each tick that gets none, as uPlot's `filter` does
 */
export function shownTicks(ticks: readonly number[], min: number, max: number): (number | null)[] {
  const decades = Math.log10(max / min);
  const shown = digits.find(([most]) => decades < most)?.[1] ?? [1];
  const distance = Math.max(1, Math.ceil(decades / 6));
  return ticks.map((tick) => {
    const [digit, exponent] = digitOf(tick);
    return shown.includes(digit) && exponent % distance === 0 ? tick : null;
  });
}

/** The range of a logarithmic axis: from and to numbers of one digit, between which all values are. */
export function logRange(min: number, max: number): [number, number] {
  const [low, lowExponent] = digitOf(min);
  const [high, highExponent] = digitOf(max);
  const from = numberOf(low, lowExponent);
  const below =
    from > min ? numberOf(low - 1 || 9, low === 1 ? lowExponent - 1 : lowExponent) : from;
  const to = numberOf(high, highExponent);
  const above = to < max ? numberOf(high + 1, highExponent) : to;
  return below < above
    ? [below, above]
    : [numberOf(low, lowExponent - 1), numberOf(high, highExponent + 1)];
}

/** The number of one digit that is nearest: the digit and the power of ten. */
function digitOf(value: number): [digit: number, exponent: number] {
  const [digit, exponent] = value.toExponential(0).split("e");
  return [Number(digit), Number(exponent)];
}

const numberOf = (digit: number, exponent: number): number => Number(`${digit}e${exponent}`);
