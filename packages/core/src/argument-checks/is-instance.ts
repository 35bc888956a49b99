/** `value instanceof type`, and false for a proxy that was revoked or throws. */
export function isInstance<T>(value: unknown, type: new (...args: never[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}
