/** Whether a value is an object whose properties can be read. A proxy that was revoked is none. */
export function isReadable(value: unknown): value is object {
  try {
    return typeof value === "object" && Object.getPrototypeOf(value) !== undefined;
  } catch {
    return false;
  }
}
