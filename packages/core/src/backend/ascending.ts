let numbers = new Uint32Array(0);

/** An array that begins with 0, 1, 2, …, and has at least this many elements. Not to be written to. */
export function ascending(count: number): Uint32Array {
  if (numbers.length < count) numbers = Uint32Array.from({ length: 2 * count }, (_, i) => i);
  return numbers;
}
