import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { keyOf, mutantsOf } from "./mutant-list.mjs";
import { packages, sourcesOf } from "./sources.mjs";
import { runStryker } from "./stryker.mjs";
import { textAt, verdictOf } from "./verdict.mjs";

const path = "testing/mutation/results/sample.json";

/** Mutants per run of Stryker. Results are stored after each: an interrupted run loses those of one. */
const batchLength = 30;

/**
 * Runs mutants of a package that are drawn at random from all of its files, and stores their results. A run that was
 * interrupted, or had a smaller count, goes on where it ended.
 *
 * @param {object} options `count` of mutants, `seed`, `concurrency`, `conditions` in words, and whether to `force` a run
 * of what has results
 */
export async function runSample(name, { count, seed, concurrency, conditions, force }) {
  const all = await mutantsOf(sourcesOf(name));
  const drawn = shuffled(all, seed).slice(0, count);
  console.log(`${name}: ${drawn.length} of ${all.length} mutants, seed ${seed}`);
  const results = force ? [] : knownResults(readSample()[name], drawn, seed);
  for (let start = results.length; start < drawn.length; start += batchLength) {
    results.push(...(await runMutants(name, drawn.slice(start, start + batchLength), concurrency)));
    const stored = readSample();
    stored[name] = { conditions, seed, of: all.length, mutants: results };
    mkdirSync("testing/mutation/results", { recursive: true });
    writeFileSync(path, `${JSON.stringify(stored, null, 1)}\n`);
    console.log(rowOf(name, stored[name]).join("  "));
  }
}

/** The stored results of the first mutants that are drawn, while the sources are the same. */
function knownResults(stored, drawn, seed) {
  if (stored === undefined || stored.seed !== seed) return [];
  const isKnown = ({ fileName, location: { start }, replacement }, i) => {
    const known = stored.mutants[i];
    const place = `${fileName}:${start.line + 1}:${start.column + 1}`;
    return known?.place === place && known.replacement === replacement;
  };
  const first = drawn.findIndex((mutant, i) => !isKnown(mutant, i));
  return stored.mutants.slice(0, first === -1 ? drawn.length : first);
}

/** Stored results by package. */
function readSample() {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}

async function runMutants(name, drawn, concurrency) {
  const keys = drawn.map(keyOf);
  mkdirSync(".stryker-tmp", { recursive: true });
  process.env.SAMPLED_MUTANTS = `${process.cwd()}/.stryker-tmp/sampled.json`;
  writeFileSync(process.env.SAMPLED_MUTANTS, JSON.stringify(keys));
  const results = await runStryker(name, {
    mutate: drawn.map(rangeOf),
    plugins: ["./testing/mutation/only-sampled.mjs"],
    checkers: ["only-sampled"],
    // They run all tests, each in a process of its own.
    ignoreStatic: true,
    concurrency,
    reporters: ["progress-append-only"],
  });
  const byKey = new Map(results.map((result) => [keyOfResult(result), result]));
  return keys.map((key) => storedOf(byKey.get(key)));
}

/** Positions of results are counted from 1. */
function keyOfResult({ location, ...mutant }) {
  const fromZero = ({ line, column }) => ({ line: line - 1, column: column - 1 });
  return keyOf({
    ...mutant,
    location: { start: fromZero(location.start), end: fromZero(location.end) },
  });
}

function storedOf({ fileName, location, mutatorName, replacement, status }) {
  const file = relative(process.cwd(), fileName);
  const { line, column } = location.start;
  return {
    place: `${file}:${line}:${column}`,
    mutator: mutatorName,
    original: textAt(readFileSync(file, "utf8"), location),
    replacement,
    status,
  };
}

/** Stryker counts lines from 1 and columns from 0 in a range. */
function rangeOf({ fileName, location: { start, end } }) {
  return `${fileName}:${start.line + 1}:${start.column}-${end.line + 1}:${end.column}`;
}

/** All of a list in an order that the seed decides. */
function shuffled(list, seed) {
  const copy = [...list];
  let state = seed;
  for (let i = copy.length - 1; i > 0; i -= 1) {
    // Numerical Recipes' generator, of which the high bits are used.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

const columns = ["package", "of", "run", "killed", "timeout", "explained", "survived", "score"];

/** The table of all packages, and the mutants that survive without a reason. */
export function describeSample() {
  const stored = readSample();
  const names = packages.filter((name) => stored[name] !== undefined);
  const notes = names.map((name) => {
    const { conditions, seed, mutants } = stored[name];
    const left = mutants.filter((one) => one.status === "Ignored").length;
    return `- ${name}: ${conditions}, seed ${seed}; ${mutants.length} drawn, of which ${left} run only while a module loads and are left out.`;
  });
  if (names.length === 0)
    return { text: "No sample has been run yet.", summary: "none", unexplained: [] };
  const heads = [...columns, "95 % interval"];
  const text = [
    ...notes,
    "",
    `| ${heads.join(" | ")} |`,
    `| --- |${" ---: |".repeat(heads.length - 1)}`,
    ...names.map((name) => `| ${rowOf(name, stored[name]).join(" | ")} |`),
  ].join("\n");
  const unexplained = names.flatMap((name) =>
    stored[name].mutants
      .filter((one) => verdict(one) === "survived")
      .map(
        ({ place, original, replacement }) =>
          `${place}  ${short(original)}  →  ${short(replacement)}`,
      ),
  );
  return { text, summary: "mutants of the samples without a reason:", unexplained };
}

const short = (code) => code.replace(/\s+/g, " ").slice(0, 100);

const verdict = (mutant) => verdictOf(mutant.place.replace(/:.*/, ""), mutant);

function rowOf(name, { of, mutants }) {
  const counts = { killed: 0, timeout: 0, explained: 0, survived: 0 };
  for (const one of mutants) {
    const kind = verdict(one);
    if (kind !== undefined) counts[kind] += 1;
  }
  const total = Object.values(counts).reduce((sum, one) => sum + one, 0);
  const noticed = counts.killed + counts.timeout;
  const percent = (share) => (100 * share).toFixed(1);
  const [low, high] = wilson(noticed, total).map(percent);
  return [
    name,
    of,
    total,
    ...Object.values(counts),
    total === 0 ? "" : `${percent(noticed / total)} %`,
    total === 0 ? "" : `${low} to ${high} %`,
  ];
}

/** The 95 % interval of a share, after Wilson. */
function wilson(hits, total) {
  const z = 1.959964;
  const share = hits / total;
  const center = share + z ** 2 / (2 * total);
  const width = z * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2));
  return [center - width, center + width].map((one) => one / (1 + z ** 2 / total));
}
