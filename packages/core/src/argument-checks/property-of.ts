/** A property of a value of any kind; undefined if it has none, or if reading it throws, as in a revoked proxy. */
export function propertyOf(value: unknown, name: string): unknown {
  try {
    return (value as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}
