import type { ScheduleKindInfo } from "../../controls/schedule-kinds.js";
import { citation } from "../papers.js";
import { callTable } from "./counterparts.js";
import type { ScheduleInfo } from "../schedules/schedule-info.js";
import { code, formula, inlineFormula, page, picture, styledTable } from "./markdown.js";

/** A kind of schedule with what its page begins with. */
export interface ScheduleEntry extends Omit<ScheduleInfo, "counterparts"> {
  readonly kind: ScheduleKindInfo;
  readonly documentation: string;
  /** A call of the function, as it is drawn. */
  readonly call: string;
  /** What other libraries have, and the call that is the same. */
  readonly counterparts: Parameters<typeof callTable>[0];
}

/** The steps that charts of schedules show, and the value that they are made for. */
export const drawn = { steps: 1000, value: 0.001 } as const;

/** The page of a kind of schedule. */
export function schedulePage(entry: ScheduleEntry): string {
  const { kind, documentation, call, sources, formula: known, counterparts } = entry;
  const symbols = known?.symbols ?? {};
  const formulas =
    known === undefined
      ? ""
      : formula(
          `\\begin{aligned} ${known.lines.map(([target, value]) => `${target} &= ${value}`).join(" \\\\[4pt] ")} \\end{aligned}`,
          "Formula of the schedule",
        );
  return page(kind.title, `${kind.title}, a schedule of gradstep: formula, options and curve.`, [
    `# ${kind.title}`,
    kind.meaning,
    `\`\`\`js\nimport { adam, ${kind.factory} } from "gradstep";\n\nconst spec = adam({\n  learningRate: ${inWidth(call)},\n});\n\`\`\``,
    `<div class="pictures">${picture(`./pictures/${kind.name}`, `The values of this schedule over ${drawn.steps} steps`)}</div>`,
    documentation,
    sources.map((one) => `- ${citation(one)}`).join("\n"),
    formulas === "" ? "" : "## Formula",
    formulas === ""
      ? ""
      : "$\\eta_t$ is the value after $t$ steps: the first step of an optimizer has $\\eta_0$. Options that are not in the formula have their defaults.",
    formulas,
    "## Options",
    styledTable(
      "arguments",
      ["option", "meaning"],
      kind.options.map(({ name, meaning }) => [
        `${code(name)} ${symbols[name] === undefined ? "" : inlineFormula(symbols[name])}`,
        meaning,
      ]),
    ),
    "## In other libraries",
    counterparts.length === 0
      ? "Keras, PyTorch and Optax have it only as a sequence of other schedules."
      : "All for the learning rate 0.001:",
    counterparts.length === 0 ? "" : callTable(counterparts),
    "## Name",
    `In states and configurations its name is ${code(kind.name)}.`,
  ]);
}

/** A call of the setting above in at most 80 columns: an option per line, where one line is too long. */
function inWidth(call: string): string {
  if (`  learningRate: ${call},`.length <= 80) return call;
  return call.replace(/\{ (.*) \}\)$/, (_, options: string) => {
    const lines = options.split(", ").map((option) => `    ${option},`);
    return `{\n${lines.join("\n")}\n  })`;
  });
}

/** The table of all schedules. */
export function schedulesPage(entries: readonly ScheduleEntry[]): string {
  return page("Schedules", "All schedules of gradstep, with their curves.", [
    "# Schedules",
    "Every hyperparameter takes a schedule in place of a number. Schedules count the steps of the optimizer from 0, in f64, and are part of its configuration and state.",
    ...entries.map(({ kind }) =>
      [
        `## [${kind.title}](./${kind.name})`,
        kind.meaning,
        `<div class="pictures">${picture(`./pictures/${kind.name}`, `The values of ${kind.title} over ${drawn.steps} steps`)}</div>`,
      ].join("\n\n"),
    ),
    "## Others",
    "`constant(value)` is always the same number, a part of other schedules. `joinSchedules([schedule, steps], …, schedule)` puts schedules one after the other. A function `(step) => number` is a schedule, too, but cannot be stored.",
  ]);
}
