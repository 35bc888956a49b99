import type { GoldenRun } from "../golden-runs.js";
import { libraries } from "./counterparts.js";
import { table } from "./markdown.js";

/** A relative difference to two digits, as a power of ten. */
function figure(value: number): string {
  return value === 0
    ? "0"
    : value
        .toExponential(1)
        .replace("e", " · 10^")
        .replace(/\^(.*)$/, "<sup>$1</sup>")
        .replace("<sup>-", "<sup>−");
}

/** The recorded runs of other libraries that a rule or stage was part of. */
export function numbersSection(name: string, runs: readonly GoldenRun[]): string {
  const own = runs.filter(({ parts }) => parts.includes(name));
  if (own.length === 0)
    return "There is no recorded run of another library with it: its tests compare it with values of the paper's formulas.";
  const backends = Object.keys(own[0].errorOverBound);
  const rows = own.map((run) => [
    `${libraries[run.library].title} ${run.version}`,
    `\`${run.id}\``,
    String(run.steps),
    figure(run.relativeDifference) + (run.tolerance === undefined ? "" : " *"),
    ...backends.map((backend) => run.errorOverBound[backend].toFixed(2)),
  ]);
  const isRounded = own.some(({ tolerance }) => tolerance !== undefined);
  return [
    table(
      [
        "library",
        "run",
        "steps",
        "difference, f64",
        ...backends.map((one) => `error / bound, ${one}`),
      ],
      rows,
    ),
    isRounded ? "\\* The library itself computes a part of this run in f32." : "",
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
