const shown = 12;

/** Names for an error message; of many, the first ones. */
export function nameList(names: readonly string[]): string {
  if (names.length === 0) return "none";
  return names.length > shown + 1
    ? `${names.slice(0, shown).join(", ")} and ${names.length - shown} more`
    : names.join(", ");
}
