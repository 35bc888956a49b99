import type { GoldenRun } from "../golden-runs.js";
import type { StageBounds } from "../stages/stage-bounds.js";
import type { ConstraintRun } from "../stages/tfjs-constraints.js";
import { libraries } from "../libraries.js";
import { code, table } from "./markdown.js";

/** A number to two digits, as a power of ten. */
function figure(value: number): string {
  if (value === 0) return "0";
  const [digits, power] = value.toExponential(1).split("e");
  return `${digits} · 10<sup>${power.replace("-", "−").replace("+", "")}</sup>`;
}

function titleOf({ library, version }: GoldenRun): string {
  return `${libraries[library].title} ${version}`;
}

function worst(runs: readonly GoldenRun[], of: (run: GoldenRun) => number): number {
  return Math.max(...runs.map(of));
}

/** Figures of some runs together: the difference in f64, and the error over the bound on each backend. */
function figures(runs: readonly GoldenRun[], backends: readonly string[]): readonly string[] {
  const isRounded = runs.some(({ tolerance }) => tolerance !== undefined);
  return [
    figure(worst(runs, ({ relativeDifference }) => relativeDifference)) + (isRounded ? " *" : ""),
    ...backends.map((backend) =>
      worst(runs, ({ errorOverBound }) => errorOverBound[backend]).toFixed(2),
    ),
  ];
}

/** The recorded runs of other libraries that a rule or stage was part of. */
export function numbersSection(name: string, runs: readonly GoldenRun[]): string {
  const own = runs.filter(({ parts }) => parts.includes(name));
  if (own.length === 0)
    return "None of the recorded runs has it: Keras, PyTorch and Optax do not, or not in this form.";
  const backends = Object.keys(own[0].errorOverBound);
  const titles = ["difference, f64", ...backends.map((one) => `error / bound, ${one}`)];
  const groups = new Map<string, GoldenRun[]>();
  for (const run of own) groups.set(titleOf(run), [...(groups.get(titleOf(run)) ?? []), run]);
  // A run whose library rounds more says nothing of the others.
  const summary = [...groups].flatMap(([title, all]) =>
    [false, true].flatMap((isRounded) => {
      const some = all.filter(({ tolerance }) => (tolerance !== undefined) === isRounded);
      return some.length === 0 ? [] : [[title, String(some.length), ...figures(some, backends)]];
    }),
  );
  const details = own.map((run) => [
    titleOf(run),
    `\`${run.id}\``,
    String(run.steps),
    ...figures([run], backends),
  ]);
  const isRounded = own.some(({ tolerance }) => tolerance !== undefined);
  return [
    table(["library", "runs", ...titles], summary),
    isRounded ? "\\* The library itself computes a part of these runs in f32." : "",
    "::: details All runs",
    table(["library", "run", "steps", ...titles], details),
    ":::",
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** Random runs of a stage on backends that compute in f32. */
export function boundsTable({ rule, runs, errorOverBound }: StageBounds): string {
  const backends = Object.keys(errorOverBound);
  return [
    `${runs} random runs of ${code(rule)} per backend, with all options: the largest error of any value in any step, as a part of the bound that is derived from the text of the stage and of Adam. None is above 1.`,
    table(
      backends.map((one) => `error / bound, ${one}`),
      [Object.values(errorOverBound).map((value) => value.toFixed(2))],
    ),
  ].join("\n\n");
}

/** Constraints of TensorFlow.js, applied to the values of a stage; empty if there are none. */
export function constraintTable(runs: readonly ConstraintRun[]): string {
  if (runs.length === 0) return "";
  return [
    "Applied to a matrix of 32 × 24 values in f32, which rounds at 6 · 10<sup>−8</sup>:",
    table(
      ["library", "constraint", "difference"],
      runs.map(({ version, there, relativeDifference }) => [
        `TensorFlow.js ${version}`,
        code(there),
        figure(relativeDifference),
      ]),
    ),
  ].join("\n\n");
}
