import type { CheckResult, Report } from "../suite/verify.js";
import { loadBackend } from "./load-backend.js";
import { loadRules } from "./load-rules.js";
import type { Options } from "./options.js";
import { Progress } from "./progress.js";
import { verifyRounds, type RoundsReport } from "./rounds.js";
import { figure, namedFigure, painter, table, widthOf, wrapped, type Cell } from "./terminal.js";
import { UsageError } from "./usage.js";
import { interruptedStatus, interruption } from "./interruption.js";

/** Where compiling a kernel takes seconds. */
const slowDefaults = { cases: 40, kernels: 4 };

/** `verify`: runs the suite against a backend and returns the exit status. */
export async function verify({
  targets,
  rules: ruleFiles,
  groups,
  cases: givenCases,
  kernels: givenKernels,
  seed,
  rounds,
  model,
  json,
}: Options): Promise<number> {
  const loaded = await loadBackend(targets[0]);
  const rules = await loadRules(ruleFiles);
  const { precision } = await loaded.make();
  if (precision !== "f32") {
    throw new UsageError(
      `Got backend "${loaded.name}" of precision ${precision}; expected f32: the suite compares with the f64 oracle.`,
    );
  }
  const asked = model ?? loaded.model;
  const slowDevice = loaded.slowDevice();
  const cases = givenCases ?? (slowDevice === undefined ? 1000 : slowDefaults.cases);
  const kernels = givenKernels ?? (slowDevice === undefined ? undefined : slowDefaults.kernels);
  const signal = interruption();
  const progress = new Progress();
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const report = await verifyRounds(
    {
      backend: loaded.make,
      model: asked,
      wrapsArrays: loaded.wrapsArrays,
      reductions: loaded.reductions,
      ...(rules.length > 0 ? { rules } : {}),
      ...(groups === undefined ? {} : { groups }),
      ...(kernels === undefined ? {} : { maxKernels: kernels }),
      cases,
      seed,
    },
    rounds,
    {
      signal,
      onProgress: ({ completed, total, check, cases: ran }, round) => {
        const part = rounds === 1 ? "" : `round ${round}/${rounds}  `;
        progress.show(
          `${part}${completed}/${total} checks  ${ran} random cases  ${clock(seconds())}  ${check.group}: ${check.name}`,
        );
      },
    },
  );
  progress.clear();
  const count = (status: CheckResult["status"]): number =>
    report.checks.filter((check) => check.status === status).length;
  const failed = count("failed");
  const document = {
    backend: loaded.name,
    model: asked.name,
    ...(rules.length > 0 ? { rules: rules.map(({ name }) => name) } : {}),
    seed,
    rounds: report.rounds,
    passed: count("passed"),
    failed,
    skipped: count("skipped"),
    unfinished: report.unfinished,
    // JSON has no infinity.
    worstErrorOverBound: Math.min(report.worstErrorOverBound, Number.MAX_VALUE),
    differingBits: report.differingBits,
    elements: report.elements,
    unbounded: report.unbounded,
    cases: report.cases,
    ...(kernels === undefined ? {} : { maxKernels: kernels }),
    seconds: seconds(),
    checks: report.checks,
  };
  if (json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  else print(document, report, slowDevice);
  if (report.unfinished > 0) return interruptedStatus;
  return failed === 0 ? 0 : 1;
}

function print(
  document: {
    backend: string;
    model: string;
    rules?: readonly string[];
    seed: number;
    rounds: number;
    passed: number;
    failed: number;
    skipped: number;
    seconds: number;
    maxKernels?: number;
  },
  report: RoundsReport,
  slowDevice: string | undefined,
): void {
  const paint = painter(process.stdout);
  const rows: Cell[][] = [];
  for (const group of new Set(report.checks.map((check) => check.group))) {
    const own = report.checks.filter((check) => check.group === group);
    const passed = own.filter(({ status }) => status === "passed");
    const isFailed = own.some(({ status }) => status === "failed");
    rows.push([
      isFailed
        ? { text: "failed", paint: paint.bad }
        : passed.length === 0
          ? { text: "skipped", paint: paint.dim }
          : { text: "passed", paint: paint.good },
      group,
      `${passed.length}/${own.length}`,
      {
        text: [...named(own, "failed"), ...named(own, "skipped")].join("; "),
        paint: isFailed ? paint.bad : paint.dim,
      },
    ]);
  }
  const columns = [
    { title: "" },
    { title: "what" },
    { title: "checks", align: "right" },
    { title: "" },
  ] as const;
  const number = (value: number): string => value.toLocaleString("en-US");
  const width = widthOf(process.stdout);
  const line = (name: string, text: string): string => namedFigure(name, text, width);
  const lines = [
    `${paint.strong(document.backend)}${paint.dim(` · error model ${document.model}, ${seedsOf(document)}${document.rules === undefined ? "" : `, rules ${document.rules.join(", ")}`}`)}`,
    ...(slowDevice === undefined
      ? []
      : [
          paint.dim(
            `${slowDevice} emulates the GPU: at most ${document.maxKernels} kernels per rule (--kernels), ${number(report.cases)} random cases (--cases)`,
          ),
        ]),
    "",
    table(columns, rows, paint, width),
    "",
    ...report.checks.flatMap(({ group, name, status, reason = "" }) =>
      status === "failed"
        ? [
            paint.bad(`${group}: ${name}`),
            ...wrapped(reason, width - 2).map((line) => `  ${line}`),
            "",
          ]
        : [],
    ),
    ...skipped(report.checks).flatMap((line) => wrapped(line, width).map(paint.dim)),
    line("error/bound", `${figure(report.worstErrorOverBound)} at worst`),
    line(
      "differing bits",
      `${number(report.differingBits)} of ${number(report.elements)} values differ from the f32 reference's`,
    ),
    line(
      "unbounded",
      `${number(report.unbounded)} values (any result is allowed: overflow, or the root of a negative number)`,
    ),
    line("random cases", `${number(report.cases)} in ${document.seconds.toFixed(1)} s`),
    "",
    (document.failed === 0 ? paint.good : paint.bad)(
      `${document.passed} passed, ${document.failed} failed, ${document.skipped} skipped`,
    ),
    ...(report.unfinished > 0
      ? [
          paint.bad(
            report.rounds === 0
              ? `Stopped by Ctrl-C: ${report.unfinished} of ${report.checks.length + report.unfinished} checks did not end`
              : `Stopped by Ctrl-C in round ${report.rounds + 1}: ${report.unfinished} of ${report.checks.length} checks did not end`,
          ),
        ]
      : []),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function seedsOf({ seed, rounds }: { readonly seed: number; readonly rounds: number }): string {
  return rounds > 1 ? `seeds ${seed} to ${seed + rounds - 1}` : `seed ${seed}`;
}

/** Seconds as `1:05`. */
function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

/** More names than these are counted: a log has no width at which it would cut them. */
const maxNames = 3;

/** The names of the checks with a status, after the status. */
function named(checks: Report["checks"], status: CheckResult["status"]): readonly string[] {
  const names = checks.flatMap((check) => (check.status === status ? [check.name] : []));
  if (names.length === 0) return [];
  const rest = names.length - maxNames;
  const shown = rest > 1 ? [...names.slice(0, maxNames), `${rest} more`] : names;
  return [`${status}: ${shown.join("; ")}`];
}

/** One line per reason, and an empty one after them. */
function skipped(checks: Report["checks"]): readonly string[] {
  const reasons = checks.flatMap(({ status, reason = "" }) =>
    status === "skipped" ? [reason] : [],
  );
  const lines = [...new Set(reasons)].map((reason) => {
    const count = reasons.filter((one) => one === reason).length;
    return `${count} skipped: ${reason}`;
  });
  return lines.length > 0 ? [...lines, ""] : [];
}
