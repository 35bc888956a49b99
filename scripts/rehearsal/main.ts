// Rehearses a release on this machine: versions a copy of the repository, publishes its packages to a registry on the
// loopback interface, installs them by name, and takes a step on every backend of every runtime. Uploads nothing.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Cells, stepCells } from "./cells.js";
import { checks } from "./checks.js";
import { repositoryCommand, runCommand } from "./command.js";
import { newProject } from "./install.js";
import { Pages } from "./pages.js";
import { startRegistry } from "./registry.js";
import { copyRepository, release } from "./release.js";
import { type Column, columns, type StepResults } from "./step-results.js";
import { type Cell, type Row, tableText } from "./table.js";

/** Packages that those of gradstep work with, in whatever version a user gets today. */
const companions = [
  "webgpu",
  "@sparticuz/chromium",
  "@tensorflow/tfjs-core@4",
  "@tensorflow/tfjs-layers@4",
  "@tensorflow/tfjs-backend-cpu@4",
];

const repository = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gradstep-rehearsal-"));
process.once("exit", () => {
  rmSync(folder, { recursive: true, force: true });
});
process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));

async function stage<Value>(title: string, work: () => Promise<Value>): Promise<Value> {
  const start = performance.now();
  process.stdout.write(`${title}… `);
  const value = await work();
  process.stdout.write(`${((performance.now() - start) / 1000).toFixed(0)} s\n`);
  return value;
}

async function rowOf({ runtime, absent, run }: Cells): Promise<Row> {
  let results: StepResults;
  try {
    results = await run();
  } catch (error) {
    const problem = (error instanceof Error ? error.message : String(error)).trim();
    results = Object.fromEntries(columns.map((column) => [column, { problem }]));
  }
  const cell = (column: Column): Cell => {
    const reason = absent[column];
    if (reason !== undefined) return { mark: "—", reason };
    const { backend, problem } = results[column] ?? {};
    if (backend === undefined) return { mark: "✗", reason: problem ?? "the program does not say" };
    return { mark: "✓", ...(column === "auto" && { note: backend }) };
  };
  return {
    title: runtime,
    cells: Object.fromEntries(columns.map((column) => [column, cell(column)])) as Row["cells"],
  };
}

async function checkTarballs(tarballs: readonly string[]): Promise<void> {
  for (const tarball of tarballs) {
    await runCommand(repositoryCommand("publint"), ["run", tarball, "--strict"]);
    await runCommand(repositoryCommand("attw"), [tarball, "--profile", "esm-only"]);
  }
}

const copy = join(folder, "repository");
const project = join(folder, "project");
let failures = 0;
const registry = await stage("Starting a registry", () => startRegistry(join(folder, "registry")));
try {
  await stage("Copying the repository", () => copyRepository(repository, copy));
  const published = await stage("Building and publishing", () => release(copy, registry));
  const names = published.map(({ name }) => name);
  console.log(`  ${names.join(", ")}: ${published[0].version}`);
  await stage("Installing them by name, checking them with publint and attw", () =>
    Promise.all([
      newProject(project, [...names, ...companions], registry),
      checkTarballs(published.map(({ name, version }) => registry.tarball(name, version))),
    ]),
  );

  const pages = await Pages.open(project);
  try {
    const rows = await stage("Taking steps", async () => {
      const done: Row[] = [];
      for (const cells of stepCells(project, pages)) done.push(await rowOf(cells));
      return done;
    });
    console.log(`\n${tableText(rows)}\n`);
    failures += rows
      .flatMap(({ cells }) => Object.values(cells))
      .filter(({ mark }) => mark === "✗").length;
  } finally {
    await pages?.close();
  }
  for (const { title, run } of checks(project)) {
    try {
      await run();
      console.log(`✓ ${title}`);
    } catch (error) {
      failures += 1;
      console.log(`✗ ${title}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
} finally {
  registry.stop();
}
console.log(
  failures === 0
    ? "\nEverything passed; nothing was uploaded."
    : `\n${failures} failed; nothing was uploaded.`,
);
process.exitCode = failures === 0 ? 0 : 1;
