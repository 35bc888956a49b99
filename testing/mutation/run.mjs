// Mutates the sources of core, cpu-js and wasm, and writes the score by file into docs/mutation.md.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { Stryker } from "@stryker-mutator/core";
import { describePackage, replaceSection } from "./report.mjs";
import { readResults, writeResults } from "./results.mjs";

const packages = ["core", "cpu-js", "wasm"];
const page = "docs/mutation.md";

const usage = `\
Usage: pnpm test:mutation [options] [source files]

Mutates packages/{${packages.join(",")}}/src and runs the tests that reach each mutant. Results of mutants whose code and
tests have not changed are reused.

  --filter=<package>  only this package (may be repeated)
  --force             reuse no results
  --skip-static       leave out what runs only while a module loads: a third of the mutants, most of the time
  --concurrency=<n>   mutants at once (1)
  --report            run nothing; write ${page} from the stored results
  -h, --help
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    filter: { type: "string", multiple: true, default: packages },
    force: { type: "boolean", default: false },
    "skip-static": { type: "boolean", default: false },
    concurrency: { type: "string", default: "1" },
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
  // The tests run in child processes: they inherit these.
  Object.assign(process.env, {
    MUTATED_PACKAGE: name,
    GRADSTEP_TEST: "sample",
    GRADSTEP_SEED: "1",
  });
  const started = Date.now();
  await new Stryker({
    mutate: files,
    testRunner: "vitest",
    vitest: { configFile: "testing/mutation/vitest.config.ts", related: false },
    plugins: ["@stryker-mutator/vitest-runner", "./testing/mutation/ignore-messages.mjs"],
    ignorers: ["messages"],
    coverageAnalysis: "perTest",
    ignoreStatic: values["skip-static"],
    warnings: { slow: false },
    concurrency: Number(values.concurrency),
    // Most endless loops are noticed by a count of turns; a slow machine must not pass for one.
    timeoutMS: 10_000,
    timeoutFactor: 4,
    ignorePatterns: ["/apps", "/examples", "/docs", ".turbo", "/packages/{webgpu,tfjs,gradstep}"],
    incremental: true,
    incrementalFile: working,
    force: values.force,
    reporters: ["progress-append-only", "html"],
    htmlReporter: { fileName: `.stryker-tmp/${name}.html` },
    tempDirName: ".stryker-tmp/sandbox",
    allowEmpty: true,
  }).runMutationTest();
  const report = JSON.parse(readFileSync(working, "utf8"));
  // Of files without anything to mutate Stryker says nothing.
  for (const path of files)
    report.files[path] ??= { language: "typescript", source: "", mutants: [] };
  writeResults(name, report, conditions());
  console.log(`${files.join(", ")}: ${Math.round((Date.now() - started) / 1000)} s`);
}

/** The files of a package that are mutated. */
function sourcesOf(name) {
  const folder = `packages/${name}/src`;
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts") && !file.startsWith("generated/"))
    .map((file) => `${folder}/${file}`);
}

/** When, and with which versions: they stand above the scores. */
function conditions() {
  const require = createRequire(import.meta.url);
  const versionOf = (name) => require(`${name}/package.json`).version;
  const [date] = new Date().toISOString().split("T");
  return `${date}, StrykerJS ${versionOf("@stryker-mutator/core")}, vitest ${versionOf("vitest")}, Node ${process.versions.node}`;
}

for (const name of filters) {
  if (!values.report) await mutate(name);
  const results = readResults(name);
  if (results === undefined) continue;
  const sources = new Map(sourcesOf(name).map((file) => [file, readFileSync(file, "utf8")]));
  const section = describePackage(name, results, sources);
  writeFileSync(page, replaceSection(readFileSync(page, "utf8"), name, section.text));
  console.log(`${name}: ${section.summary}`);
  for (const line of section.unexplained) console.log(`  ${line}`);
}
execFileSync("node_modules/.bin/oxfmt", [page]);
