import { textAt, verdictOf } from "./verdict.mjs";

/**
 * The table of a package, its totals in one line, and the mutants that survive without a reason.
 *
 * @param {ReadonlyMap<string, string>} sources the files that there are, with their texts
 */
export function describePackage(name, { files, conditions }, sources) {
  const rows = Object.entries(files)
    .filter(([path]) => sources.has(path))
    .map(([path, file]) => describeFile(path, file))
    .filter(({ total }) => total > 0)
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  const all = {
    path: `**${name}**`,
    ...Object.fromEntries(columns.map((key) => [key, sum(key)])),
    total: sum("total"),
  };
  const paths = [...sources.keys()];
  const untested = paths.filter((path) => files[path] === undefined).length;
  const changed = paths.filter(
    (path) => files[path]?.mutants.length > 0 && files[path].source !== sources.get(path),
  ).length;
  const skipped = Object.values(files)
    .flatMap(({ mutants }) => mutants)
    .filter(({ status, statusReason }) => status === "Ignored" && /static/i.test(statusReason));
  const notes = [
    `${conditions}.`,
    skipped.length > 0 &&
      `Left out: ${skipped.length} mutants of what runs only while a module loads.`,
    `Of ${paths.length} files, ${untested} have not been run yet, and ${changed} have changed since.`,
  ].filter((note) => note !== false);
  const text = [
    ...notes.flatMap((note) => [note, ""]),
    `| file | ${columns.join(" | ")} | score |`,
    `| --- |${" ---: |".repeat(columns.length + 1)}`,
    ...[...rows, all].map(
      (row) => `| ${row.path} | ${columns.map((key) => row[key]).join(" | ")} | ${score(row)} |`,
    ),
  ].join("\n");
  return {
    text,
    summary: `${score(all)} of ${all.total} mutants, ${all.explained} of the others explained`,
    unexplained: rows.flatMap((row) => row.unexplained),
  };
}

const columns = ["killed", "timeout", "explained", "survived"];

function score({ killed, timeout, total }) {
  return total === 0 ? "" : `${((100 * (killed + timeout)) / total).toFixed(1)} %`;
}

function describeFile(path, { source, mutants }) {
  const counts = { killed: 0, timeout: 0, explained: 0, survived: 0, total: 0 };
  const unexplained = [];
  for (const mutant of mutants) {
    const original = textAt(source, mutant.location);
    const verdict = verdictOf(path, { ...mutant, original });
    if (verdict === undefined) continue;
    counts.total += 1;
    counts[verdict] += 1;
    if (verdict === "survived") {
      const { line, column } = mutant.location.start;
      const one = (text) => text.replace(/\s+/g, " ").slice(0, 100);
      unexplained.push(
        `${path}:${line}:${column}  ${one(original)}  →  ${one(mutant.replacement)}`,
      );
    }
  }
  return { path: shortOf(path), ...counts, unexplained };
}

const shortOf = (path) => path.replace(/^packages\/[^/]+\/src\//, "");

/** Replaces what lies between the marks of a section. */
export function replaceSection(page, name, text) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to === -1) throw new Error(`The page has no section "${name}".`);
  return `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(to)}`;
}
