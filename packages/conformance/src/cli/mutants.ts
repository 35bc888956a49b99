import { wgsl } from "../bounds/error-model.js";
import { mutants as all } from "../mutants/all-mutants.js";
import { runMutants, type MutantReport } from "../mutants/run-mutants.js";
import { worstCase } from "../simulated-gpu/worst-case-backend.js";
import type { Options } from "./options.js";
import { Progress } from "./progress.js";
import { painter, table, widthOf, type Cell } from "./terminal.js";

/** `mutants`: tests the suite and returns the exit status. WGSL's bounds are tested on the worst case of WGSL. */
export async function mutants({
  cases = 64,
  groups,
  seed,
  sample,
  model,
  json,
}: Options): Promise<number> {
  const progress = new Progress();
  let done = 0;
  progress.show("targets without a bug");
  const report = await runMutants({
    cases,
    seed,
    ...(groups === undefined ? {} : { groups }),
    ...(sample === undefined ? {} : { sample: { count: sample, seed } }),
    ...(model === undefined ? {} : { model }),
    ...(model === wgsl ? { backend: () => worstCase(seed) } : {}),
    onResult: ({ name }) => {
      done += 1;
      progress.show(`${done}/${Math.min(sample ?? Infinity, all.length)}  ${name}`);
    },
  });
  progress.clear();
  if (json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else print(report);
  return report.survivors.length + report.falseAlarms.length === 0 ? 0 : 1;
}

function print(report: MutantReport): void {
  const { total, killed, survivors, allowed, falseAlarms, mutants: results } = report;
  const paint = painter(process.stdout);
  const rows = results.map(({ name, kind, killedBy }): Cell[] => [
    killedBy === null
      ? { text: "survived", paint: paint.bad }
      : { text: "killed", paint: paint.good },
    { text: kind, paint: paint.dim },
    name,
    { text: killedBy === null ? "no check noticed" : killedBy.check, paint: paint.dim },
  ]);
  const columns = [
    { title: "" },
    { title: "bug in" },
    { title: "mutant" },
    { title: "noticed by" },
  ];
  const lines = [
    table(columns, rows, paint, widthOf(process.stdout)),
    "",
    ...allowed.map((name) => paint.dim(`allowed by this error model: ${name}`)),
    ...falseAlarms.map((check) => paint.bad(`failed without a bug: ${check}`)),
    (survivors.length + falseAlarms.length === 0 ? paint.good : paint.bad)(
      `${killed} of ${total} killed, ${survivors.length} survived`,
    ),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
