import { readFile } from "node:fs/promises";
import { UsageError } from "./usage.js";
import { loadBackend, userPath } from "./load-backend.js";
import { figure, painter, table, widthOf, type Cell } from "./terminal.js";
import type { Options } from "./options.js";
import { parseGolden } from "../golden/golden-file.js";
import { replay, type GoldenResult } from "../golden/replay.js";

/** What the command found in one file. */
interface FileReport {
  readonly file: string;
  readonly backend: string;
  readonly passed: number;
  readonly failed: number;
  readonly unsupported: number;
  readonly cases: readonly GoldenResult[];
}

/** `golden`: replays files; gives the exit status. */
export async function golden({ targets, backend, model, json }: Options): Promise<number> {
  const loaded = backend === undefined ? undefined : await loadBackend(backend);
  // All files are read before any is replayed, so that a bad one fails the command before it prints anything.
  const files = await Promise.all(
    targets.map(async (name) => ({ name, golden: parseGolden(await text(name), name) })),
  );
  const reports: FileReport[] = [];
  for (const { name, golden: file } of files) {
    const cases = await replay(
      file,
      loaded === undefined ? {} : { backend: loaded.make, model: model ?? loaded.model },
    );
    const count = (status: GoldenResult["status"]): number =>
      cases.filter((one) => one.status === status).length;
    reports.push({
      file: name,
      backend: loaded?.name ?? "oracle",
      passed: count("passed"),
      failed: count("failed"),
      unsupported: count("unsupported"),
      cases,
    });
  }
  if (json) process.stdout.write(`${JSON.stringify({ files: reports }, null, 2)}\n`);
  else for (const report of reports) print(report);
  return reports.every(({ failed }) => failed === 0) ? 0 : 1;
}

async function text(name: string): Promise<string> {
  try {
    return await readFile(userPath(name), "utf8");
  } catch (error) {
    const { code } = error as { code?: string };
    const why = code === "ENOENT" ? "there is no such file" : (code ?? String(error));
    throw new UsageError(`Got file "${name}", but ${why}; expected a file of golden runs.`);
  }
}

function print({ file, backend, passed, failed, unsupported, cases }: FileReport): void {
  const paint = painter(process.stdout);
  const mark = { passed: paint.good, failed: paint.bad, unsupported: paint.dim };
  const hasBound = cases.some((one) => one.worstErrorOverBound !== null);
  const rows = cases.map((one): Cell[] => [
    { text: one.status, paint: mark[one.status] },
    one.status === "unsupported" ? { text: one.id, paint: paint.dim } : one.id,
    figure(one.worstRelativeError),
    figure(hasBound ? one.worstErrorOverBound : one.worstStateError),
    { text: one.reason ?? "", paint: one.status === "failed" ? paint.bad : paint.dim },
  ]);
  const columns = [
    { title: "" },
    { title: "case" },
    { title: "relative error", align: "right" },
    { title: hasBound ? "error/bound" : "of the state", align: "right" },
    { title: "" },
  ] as const;
  const summary = `${passed} passed, ${failed} failed, ${unsupported} unsupported`;
  process.stdout.write(
    `${paint.strong(file)} ${paint.dim(`on ${backend}`)}\n\n${table(columns, rows, paint, widthOf(process.stdout))}\n\n` +
      `${(failed === 0 ? paint.good : paint.bad)(summary)}\n\n`,
  );
}
