// Mutates the sources of core, cpu-js and wasm, and writes the score by file into docs/mutation.md.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { describePackage, replaceSection } from "./report.mjs";
import { readResults, writeResults } from "./results.mjs";
import { describeSample, runSample } from "./sample.mjs";
import { packages, sourcesOf } from "./sources.mjs";
import { runStryker } from "./stryker.mjs";

const page = "docs/mutation.md";

const usage = `\
Usage: pnpm test:mutation [options] [source files]

Mutates packages/{${packages.join(",")}}/src and runs the tests that reach each mutant. Results of mutants whose code and
tests have not changed are reused.

  --filter=<package>  only this package (may be repeated)
  --force             reuse no results
  --skip-static       leave out what runs only while a module loads: a third of the mutants, most of the time
  --sample=<n>        n mutants of each package, drawn at random from all of its files, apart from the scores by file
  --seed=<n>          which are drawn (today's date)
  --level=<level>     of the tests of a sample: quick, as in npm test, or full (quick)
  --concurrency=<n>   mutants at once (1)
  --timeout=<s>       seconds, besides twice the time of its tests, after which a mutant loops forever (30); more where
                      other work slows the machine
  --report            run nothing; write ${page} from the stored results
  -h, --help
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    filter: { type: "string", multiple: true, default: packages },
    force: { type: "boolean", default: false },
    "skip-static": { type: "boolean", default: false },
    sample: { type: "string" },
    seed: { type: "string", default: new Date().toISOString().slice(0, 10).replaceAll("-", "") },
    level: { type: "string", default: "quick" },
    concurrency: { type: "string", default: "1" },
    timeout: { type: "string", default: "30" },
    report: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const filters = values.filter.map((name) => name.replace(/^@gradstep\//, ""));
const unknown = filters.find((name) => !packages.includes(name));
if (unknown !== undefined) {
  console.error(`No package "${unknown}" is mutated; there are ${packages.join(", ")}.`);
  process.exit(1);
}

const count = values.sample === undefined ? undefined : Number(values.sample);
if (count !== undefined && !(Number.isInteger(count) && count > 0)) {
  console.error(`--sample is ${values.sample}; expected how many mutants of each package to run.`);
  process.exit(1);
}

if (!["quick", "full"].includes(values.level)) {
  console.error(`--level is ${values.level}; expected quick or full.`);
  process.exit(1);
}

const timeoutMS = 1000 * Number(values.timeout);
if (!(timeoutMS > 0)) {
  console.error(`--timeout is ${values.timeout}; expected a number of seconds.`);
  process.exit(1);
}

/** Lines of source per run of Stryker. Results are stored after each: an interrupted run loses those of one. */
const batchLength = 400;

/** Runs the mutants of a package and stores their results. */
async function mutate(name) {
  const files = sourcesOf(name).filter(
    (file) => positionals.length === 0 || positionals.includes(file),
  );
  let batch = [];
  let lines = 0;
  for (const file of files) {
    batch.push(file);
    lines += readFileSync(file, "utf8").split("\n").length;
    if (lines < batchLength && file !== files.at(-1)) continue;
    await mutateFiles(name, batch);
    batch = [];
    lines = 0;
  }
}

async function mutateFiles(name, files) {
  const working = `.stryker-tmp/${name}.json`;
  const before = readResults(name);
  mkdirSync(".stryker-tmp", { recursive: true });
  if (before === undefined) rmSync(working, { force: true });
  else writeFileSync(working, JSON.stringify(before));
  const started = Date.now();
  await runStryker(name, {
    mutate: files,
    ignoreStatic: values["skip-static"],
    concurrency: Number(values.concurrency),
    timeoutMS,
    incremental: true,
    incrementalFile: working,
    force: values.force,
    reporters: ["progress-append-only", "html"],
    htmlReporter: { fileName: `.stryker-tmp/${name}.html` },
  });
  const report = JSON.parse(readFileSync(working, "utf8"));
  // Of files without anything to mutate Stryker says nothing.
  for (const path of files)
    report.files[path] ??= { language: "typescript", source: "", mutants: [] };
  writeResults(name, report, conditions());
  console.log(`${files.join(", ")}: ${Math.round((Date.now() - started) / 1000)} s`);
}

/** When, and with which versions: they stand above the scores. */
function conditions() {
  const require = createRequire(import.meta.url);
  const versionOf = (name) => require(`${name}/package.json`).version;
  const [date] = new Date().toISOString().split("T");
  return `${date}, StrykerJS ${versionOf("@stryker-mutator/core")}, vitest ${versionOf("vitest")}, Node ${process.versions.node}`;
}

/** Writes a section of the page, and says what survives without a reason. */
function report(name, { text, summary, unexplained }) {
  writeFileSync(page, replaceSection(readFileSync(page, "utf8"), name, text));
  console.log(`${name}: ${summary}`);
  for (const line of unexplained) console.log(`  ${line}`);
}

for (const name of filters) {
  if (count !== undefined) {
    const [seed, concurrency] = [Number(values.seed), Number(values.concurrency)];
    const { force, level } = values;
    await runSample(name, {
      count,
      seed,
      concurrency,
      timeoutMS,
      conditions: `${conditions()}, ${level} tests`,
      force,
      level,
    });
    continue;
  }
  if (!values.report) await mutate(name);
  const results = readResults(name);
  if (results === undefined) continue;
  const sources = new Map(sourcesOf(name).map((file) => [file, readFileSync(file, "utf8")]));
  report(name, describePackage(name, results, sources));
}
if (count !== undefined || values.report) report("sample", describeSample());
execFileSync("node_modules/.bin/oxfmt", [page]);
