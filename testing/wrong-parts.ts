/** Where a part is: `["2", "copies", "w"]` in the arguments of a call. */
export type Path = readonly string[];

/** The paths of all parts of arguments: entries of lists and of plain objects, but not of tensors and arrays. */
export function pathsIn(value: unknown, at: Path = []): Path[] {
  const own = at.length > 0 ? [at] : [];
  if (value === null || typeof value !== "object") return own;
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain) return own;
  return [
    ...own,
    ...Object.entries(value).flatMap(([key, part]) => pathsIn(part as unknown, [...at, key])),
  ];
}

/** A copy of arguments with another part. */
export function withPart<T>(value: T, [key, ...rest]: Path, part: unknown): T {
  const changed =
    rest.length === 0 ? part : withPart((value as Record<string, unknown>)[key], rest, part);
  if (Array.isArray(value)) return value.map((one, i) => (i === Number(key) ? changed : one)) as T;
  return { ...value, [key]: changed };
}
