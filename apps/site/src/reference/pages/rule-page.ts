import type { Rule } from "@gradstep/core";
import type { GoldenRun } from "../golden-runs.js";
import { citation, type Source } from "../papers.js";
import { hyperparameterTable, optionSections } from "./arguments.js";
import { counterpartSection } from "./counterparts.js";
import { evaluationFormulas, formulas } from "./formulas.js";
import { code, page, picture, table } from "./markdown.js";
import { numbersSection } from "./numbers.js";
import { ruleText } from "./rule-text.js";
import { passes, slotTable, stateSize } from "./state.js";

/** What a page of a rule or stage is made of, in addition to the rule itself. */
export interface PageContent {
  /** The name of the function that makes it: `scheduleFreeAdamw`. */
  readonly factory: string;
  readonly title: string;
  /** What it is for, in one line. */
  readonly summary: string;
  readonly sources: readonly Source[];
  /** Its doc comment as Markdown. */
  readonly documentation: string;
  readonly runs: readonly GoldenRun[];
}

/** The page of an optimizer. @param learningRate of its path in the chart */
export function rulePage(
  rule: Rule,
  { factory, title, summary, sources, documentation, runs }: PageContent,
  learningRate: number,
): string {
  const variant = rule.variant();
  const options = optionSections(rule);
  const evaluation = evaluationFormulas(rule);
  return page(title, `${title} in gradstep: formulas, arguments, and how it compares.`, [
    `# ${title}`,
    summary,
    `\`\`\`js\nimport { ${factory} } from "gradstep";\n\nconst spec = ${factory}({ learningRate: ${rule.hyperparameters.learningRate.default} });\n\`\`\``,
    table(
      ["state", "passes over memory per step", "name in states and configurations"],
      [[stateSize(variant), passes(variant), code(rule.name)]],
    ),
    sources.map((one) => `- ${citation(one)}`).join("\n"),
    "## Formulas",
    "$\\theta$ is the parameter, $g_t$ its gradient in step $t$, which starts at 1. Where a line reads what an earlier one assigns, it has the new value. [How formulas are made from rules](../#formulas)",
    formulas(rule),
    evaluation === ""
      ? ""
      : `The weights to evaluate with, which \`optimizer.swap()\` exchanges with the parameters:\n\n${evaluation}`,
    "## Arguments",
    hyperparameterTable(rule),
    "All can be changed between steps, and follow [schedules](../schedules/). [`weightDecayMode` and `maximize`](./#options-of-all-rules) are options of all rules.",
    "## Path",
    `<div class="pictures">${picture(`./pictures/${rule.name}-path`, `The path of ${title} through a curved valley`)}${picture(`./pictures/${rule.name}-loss`, `The values along the path of ${title}, of SGD with momentum and of Adam`)}</div>`,
    `200 steps on $(1 - x)^2 + 10\\,(y - x^2)^2$ from (−1.2, 1), with the learning rate ${learningRate}: of 21 rates from 0.0001 to 500, the one that ends lowest. The same was done for SGD with a momentum of 0.9 and for Adam. One small function says little about the training of networks.`,
    "## Notes",
    documentation,
    options.length === 0 ? "" : "## Options",
    ...options,
    "## State",
    slotTable(rule) === "" ? "None." : slotTable(rule),
    "## In other libraries",
    counterpartSection(rule, factory),
    "## Numbers",
    "Recorded runs of the libraries in f64, replayed: the largest difference of any value after any step, relative to the largest magnitude of that value, and, on backends that compute in f32, the largest error of any step as a part of the bound that is derived from the rule. [How the numbers are made](../#numbers)",
    numbersSection(rule.name, runs),
    "## Text",
    "What gradstep compiles, with default options. Lines with `FlushThreshold` set values that are too small to matter to 0 on every 64th step, so that none becomes subnormal, which is slow.",
    ruleText(rule),
  ]);
}
