/**
 * Whether values can be found by name in it. Lists, maps and promises have no names, so that they would pass for an object
 * without any.
 */
export function hasNames(value: unknown): value is object {
  return (
    value !== null &&
    typeof value === "object" &&
    !(Symbol.iterator in value) &&
    typeof (value as { then?: unknown }).then !== "function"
  );
}
