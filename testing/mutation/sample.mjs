import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { keyOf, mutantsOf } from "./mutant-list.mjs";
import { packages, sourcesOf } from "./sources.mjs";
import { runStryker } from "./stryker.mjs";
import { testedMutants } from "./tested-mutants.mjs";
import { textAt, verdictOf } from "./verdict.mjs";

const path = "testing/mutation/results/sample.json";

/**
 * Runs mutants of a package that are drawn at random from all of its files, and stores each result as it comes. A run
 * that was interrupted, or had a smaller count, goes on where it ended.
 *
 * @param {object} options `count` of mutants, `seed`, `concurrency`, `timeoutMS`, `conditions` in words, the `level` of
 * the tests, and whether to `force` a run of what has results
 */
export async function runSample(
  name,
  { count, seed, concurrency, timeoutMS, conditions, force, level },
) {
  const all = await mutantsOf(sourcesOf(name));
  const drawn = shuffled(all, seed).slice(0, count);
  console.log(`${name}: ${drawn.length} of ${all.length} mutants, seed ${seed}`);
  const results = force ? new Map() : knownResults(readSample()[name], drawn, seed);
  const left = drawn.filter((mutant) => !results.has(keyOf(mutant)));
  const store = (key, result) => {
    results.set(key, result);
    const mutants = drawn.map((mutant) => results.get(keyOf(mutant))).filter(Boolean);
    const stored = readSample();
    stored[name] = { conditions, seed, of: all.length, mutants };
    mkdirSync("testing/mutation/results", { recursive: true });
    writeFileSync(path, `${JSON.stringify(stored, null, 1)}\n`);
  };
  if (left.length > 0) await runMutants(name, left, { concurrency, timeoutMS, level, store });
  console.log(rowOf(name, readSample()[name]).join("  "));
}

/** The stored results of what is drawn, by the mutants' keys. */
function knownResults(stored, drawn, seed) {
  const isOf = ({ fileName, location: { start }, mutatorName, replacement }, known) =>
    known.place === `${fileName}:${start.line + 1}:${start.column + 1}` &&
    known.mutator === mutatorName &&
    known.replacement === replacement;
  const mutants = stored?.seed === seed ? stored.mutants : [];
  return new Map(
    drawn.flatMap((mutant) => {
      const result = mutants.find((known) => isOf(mutant, known));
      return result === undefined ? [] : [[keyOf(mutant), result]];
    }),
  );
}

/** Stored results by package. */
function readSample() {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}

/** In one run of Stryker, as each begins with a run of all tests. */
async function runMutants(name, drawn, { concurrency, timeoutMS, level, store }) {
  const keys = new Set(drawn.map(keyOf));
  mkdirSync(".stryker-tmp", { recursive: true });
  process.env.SAMPLED_MUTANTS = `${process.cwd()}/.stryker-tmp/sampled.json`;
  writeFileSync(process.env.SAMPLED_MUTANTS, JSON.stringify([...keys]));
  testedMutants.onResult = (result) => {
    const key = keyOfResult(result);
    if (keys.has(key)) store(key, storedOf(result));
  };
  await runStryker(name, {
    mutate: drawn.map(rangeOf),
    plugins: ["./testing/mutation/only-sampled.mjs", "./testing/mutation/tested-mutants.mjs"],
    checkers: ["only-sampled"],
    // They run all tests, each in a process of its own.
    ignoreStatic: true,
    concurrency,
    timeoutMS,
    level,
    reporters: ["progress-append-only", "tested-mutants"],
  });
}

/** Positions of results are counted from 1. */
function keyOfResult({ location, ...mutant }) {
  const fromZero = ({ line, column }) => ({ line: line - 1, column: column - 1 });
  return keyOf({
    ...mutant,
    location: { start: fromZero(location.start), end: fromZero(location.end) },
  });
}

function storedOf({ fileName, location, mutatorName, replacement, status, statusReason }) {
  const file = relative(process.cwd(), fileName);
  const { line, column } = location.start;
  return {
    place: `${file}:${line}:${column}`,
    mutator: mutatorName,
    original: textAt(readFileSync(file, "utf8"), location),
    replacement,
    status,
    // Whether turns of a loop were too many, or the time was up.
    ...(status === "Timeout" && { reason: statusReason ?? "time" }),
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
