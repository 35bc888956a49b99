import { equivalents } from "./equivalents.mjs";

/** Mutants of another status (ignored, or failing to load at all) do not count. */
const kinds = {
  Killed: "killed",
  Timeout: "timeout",
  Survived: "survived",
  NoCoverage: "survived",
};

/**
 * "killed", "timeout", "explained" or "survived"; undefined for a mutant that does not count.
 *
 * @param {string} path of the mutated file: `packages/core/src/…`
 */
export function verdictOf(path, { status, original, replacement }) {
  const kind = kinds[status];
  if (kind !== "survived") return kind;
  const known = equivalents[path.replace(/^packages\//, "")] ?? [];
  const isExplained = known.some(
    ([code, becomes]) =>
      matches(code, original) && [becomes].flat().some((one) => matches(one, replacement)),
  );
  return isExplained ? "explained" : "survived";
}

/** @param {string | RegExp} expected */
function matches(expected, text) {
  return typeof expected === "string" ? expected === text : expected.test(text);
}

/** The text between two positions, of which lines and columns are counted from 1. */
export function textAt(source, { start, end }) {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  lines[lines.length - 1] = lines.at(-1).slice(0, end.column - 1);
  lines[0] = lines[0].slice(start.column - 1);
  return lines.join("\n");
}
