/** `Array.isArray`, and false for a proxy that was revoked, at which it throws. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
