/** What never changes in a GPUBuffer. */
export interface BufferProperties {
  /** In bytes. */
  readonly size: number;
  readonly usage: number;
}

const known = new WeakMap<object, BufferProperties>();

/**
 * The size and the usage of a GPUBuffer; undefined for anything else. They are read once per buffer, since each property
 * is a call into the browser or into Dawn, and trainers wrap the same buffers in every step.
 */
export function propertiesOf(buffer: unknown): BufferProperties | undefined {
  if (buffer === null || typeof buffer !== "object") return undefined;
  const properties = known.get(buffer);
  // Not `instanceof`: a buffer may be of another realm, or of a runtime without the global.
  if (properties !== undefined || !hasBufferProperties(buffer)) return properties;
  const { size, usage } = buffer as GPUBuffer;
  const read = { size, usage };
  known.set(buffer, read);
  return read;
}

function hasBufferProperties(buffer: object): boolean {
  try {
    return "mapAsync" in buffer && "usage" in buffer;
  } catch {
    // A proxy that was revoked.
    return false;
  }
}
