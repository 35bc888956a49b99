import {
  duration,
  lossText,
  milliseconds,
  percent,
  failureOf,
  failureText,
  optimizerFraction,
} from "@gradstep/digits";
import { count } from "@gradstep/apps-shared/format";
import { median } from "@gradstep/apps-shared/median";
import { backendTitles } from "../backend.js";
import {
  type BackendComparison,
  type Comparison,
  libraries,
  type Library,
} from "../comparison/compare.js";
import { lossDifferenceSentence, speedupSentence } from "../comparison/text.js";
import { overlaidLossChart } from "./chart.js";
import type { Screen } from "./screen.js";
import { printSection } from "./summary.js";
import { type Column, fittingColumns, headingLines, rowLine } from "./table.js";

/** Prints the result of a comparison: the times per optimizer step, the losses in one chart, then the whole trainings. */
export function printComparison({ backends }: Comparison, screen: Screen): void {
  const { paint } = screen;
  const [{ backend, runs }] = backends;
  const steps = runs.gradstep.optimizerTimes.length;
  const withSteps = backends.filter(({ speedup }) => speedup !== undefined);
  printSection(
    screen,
    `Optimizer time per step, median of ${count(steps)}`,
    withSteps.flatMap((compared, index) => {
      const color = compared.speedup! >= 1 ? paint.green : paint.yellow;
      return [
        ...(index > 0 ? [""] : []),
        `${backendTitles[compared.backend]}: ${paint.bold(color(speedupSentence(compared)))}`,
        ...stepTimeBars(compared, screen),
      ];
    }),
  );
  printSection(
    screen,
    `Training loss (${backendTitles[backend]}), on a logarithmic scale`,
    overlaidLossChart([runs.gradstep, runs["TF.js"]], libraries as [Library, Library], screen),
  );
  const columns = fittingColumns(runColumns, screen.columns);
  printSection(screen, "Whole trainings", [
    ...headingLines(columns).map(paint.dim),
    ...backends.flatMap((compared) =>
      libraries.map((library) => rowLine(columns, { ...compared, library })),
    ),
  ]);
  screen.print();
  screen.printWrapped(lossDifferenceSentence(backends), paint.dim);
  for (const compared of backends) {
    for (const library of libraries) {
      const failure = failureOf(compared.runs[library]);
      if (failure === undefined) continue;
      screen.printWrapped(
        `${library} on ${backendTitles[compared.backend]}: ${failureText(failure)} ${failure.remedy}`,
        (line) => paint.bold(paint.red(line)),
      );
    }
  }
  if (backends.some((compared) => libraries.some((name) => compared.runs[name].interrupted))) {
    screen.printWrapped("Stopped by Ctrl-C.", paint.yellow);
  }
}

/** A bar for each of the two; the longer one is as long as there is room. */
function stepTimeBars({ runs }: BackendComparison, { paint, columns }: Screen): string[] {
  const times = libraries.map((library) => median(runs[library].optimizerTimes));
  const longest = Math.max(...times);
  const room = Math.min(40, columns - 25);
  return libraries.map((library, index) => {
    const bar = barText((times[index] / longest) * room).padEnd(room);
    const color = library === "gradstep" ? paint.cyan : paint.yellow;
    return `  ${library.padEnd(8)}  ${color(bar)}  ${milliseconds(times[index]).padStart(9)}`;
  });
}

/** A bar of that many characters, drawn to an eighth of one. */
function barText(length: number): string {
  const eighths = Math.max(1, Math.round(length * 8));
  const rest = eighths % 8;
  return (
    "█".repeat(Math.floor(eighths / 8)) + (rest > 0 ? String.fromCodePoint(0x2590 - rest) : "")
  );
}

type Row = BackendComparison & { readonly library: Library };

const runColumns: readonly Column<Row>[] = [
  {
    name: "",
    width: 21,
    rank: 0,
    align: "left",
    cell: ({ backend, library }) => `${backendTitles[backend].padEnd(12)} ${library}`,
  },
  {
    group: "held-out",
    name: "loss",
    width: 8,
    rank: 4,
    cell: ({ runs, library }) => lossText(runs[library].evaluation.loss),
  },
  {
    group: "held-out",
    name: "accuracy",
    width: 8,
    rank: 1,
    cell: ({ runs, library }) => percent(runs[library].evaluation.accuracy),
  },
  {
    group: "time",
    name: "total",
    width: 7,
    rank: 3,
    cell: ({ runs, library }) => duration(runs[library].seconds),
  },
  {
    group: "time",
    name: "optimizer",
    width: 9,
    rank: 2,
    cell: ({ runs, library }) => percent(optimizerFraction(runs[library]), 1),
  },
];
