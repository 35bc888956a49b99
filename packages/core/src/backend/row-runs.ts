/**
 * The end of the run of consecutive rows, from `first` on, that a mask either all selects or all does not. Backends in
 * host memory run their kernels on such ranges.
 */
export function endOfRun(mask: Uint32Array, first: number): number {
  const isSelected = mask[first] !== 0;
  let end = first + 1;
  while (end < mask.length && (mask[end] !== 0) === isSelected) end += 1;
  return end;
}
