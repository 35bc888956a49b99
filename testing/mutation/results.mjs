import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";

const folder = "testing/mutation/results";
const pathOf = (name) => `${folder}/${name}.json.gz`;

/** The stored results of a package, a report of Stryker; undefined before its first run. */
export function readResults(name) {
  const path = pathOf(name);
  return existsSync(path) ? JSON.parse(gunzipSync(readFileSync(path)).toString()) : undefined;
}

/**
 * Stores a report, without what the next run can do without.
 *
 * @param {string} conditions when, and with which versions
 */
export function writeResults(name, { schemaVersion, thresholds, files, testFiles }, conditions) {
  const kept = Object.fromEntries(
    Object.entries(files).map(([path, { mutants, ...file }]) => [
      path,
      { ...file, mutants: mutants.map(withoutExcess) },
    ]),
  );
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify({ schemaVersion, thresholds, conditions, files: kept, testFiles });
  writeFileSync(pathOf(name), gzipSync(text, { level: 9 }));
}

/** Of the tests that reach a killed mutant, the one that kills it decides whether the result can be reused. */
function withoutExcess({ statusReason, ...mutant }) {
  if (mutant.status === "Killed") return { ...mutant, coveredBy: mutant.killedBy };
  return mutant.status === "Ignored" ? { ...mutant, statusReason } : mutant;
}
