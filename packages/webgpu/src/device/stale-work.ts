/**
 * The end of the labels of buffers that were destroyed although recorded work may use them. Messages of a device quote
 * labels.
 */
const staleLabel =
  "destroyed since the step was encoded: by a remap, by free(), or by too many other steps";

/**
 * Destroys a buffer that recorded work may use, which must not be executed any more: its memory may belong to another
 * tensor, or its rows to other points. The device refuses to submit such work, and says why.
 */
export function destroyStale(buffer: GPUBuffer): void {
  buffer.label = `${buffer.label}, ${staleLabel}`;
  buffer.destroy();
}

/** Whether a message of a device is about work with a buffer of `destroyStale`. */
export function isOfStaleWork(message: string): boolean {
  return message.includes(staleLabel);
}
