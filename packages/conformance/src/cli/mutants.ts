import { wgsl } from "../bounds/model.js";
import { worstCase } from "../worst-case/worst-case.js";
import { judgeSuite, mutants as all, type MutantReport } from "../mutants/mutants.js";
import type { Options } from "./options.js";
import { Progress } from "./progress.js";
import { painter, table, widthOf, type Cell } from "./terminal.js";

/** `mutants`: judges the suite; gives the exit status. WGSL's bounds are tried on the worst case of WGSL. */
export async function mutants({ cases = 64, seed, model, json }: Options): Promise<number> {
  const progress = new Progress();
  let done = 0;
  progress.show("the suite on what is sound");
  const report = await judgeSuite({
    cases,
    seed,
    ...(model === undefined ? {} : { model }),
    ...(model === wgsl ? { backend: () => worstCase(seed) } : {}),
    onResult: ({ name }) => {
      done += 1;
      progress.show(`${done}/${all.length}  ${name}`);
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
    ...allowed.map((name) => paint.dim(`no bug under this model, which allows it: ${name}`)),
    ...falseAlarms.map((check) => paint.bad(`false alarm without any bug: ${check}`)),
    (survivors.length + falseAlarms.length === 0 ? paint.good : paint.bad)(
      `${killed} of ${total} killed, ${survivors.length} survived`,
    ),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
