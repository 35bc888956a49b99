/**
 * For those who write a backend on the host: where the run of consecutive rows ends that begins at `first` and that a
 * mask treats alike, so that kernels need not know of rows. No more than a count of rows: nothing is allocated.
 */
export function endOfRun(mask: Uint32Array, first: number): number {
  const isStepped = mask[first] !== 0;
  let end = first + 1;
  while (end < mask.length && (mask[end] !== 0) === isStepped) end += 1;
  return end;
}
