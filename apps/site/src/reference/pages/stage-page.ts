import type { Stage } from "@gradstep/core";
import type { StageBounds } from "../stages/stage-bounds.js";
import type { StageCounterpart } from "../stages/stage-counterpart.js";
import type { ConstraintRun } from "../stages/tfjs-constraints.js";
import { citation } from "../papers.js";
import { hyperparameterTable, optionSections } from "./arguments.js";
import { stageCounterpartSection } from "./counterparts.js";
import { evaluationFormulas, formulas } from "./formulas.js";
import { code, page, picture, table } from "./markdown.js";
import { boundsTable, constraintTable, numbersSection } from "./numbers.js";
import type { PageContent } from "./rule-page.js";
import { ruleText } from "./rule-text.js";
import { slotTable, stateSize } from "./state.js";

/** What a stage changes, in words. */
export const places = {
  g: "the gradient, before the rule",
  u: "the update, before it is applied",
  p: "the parameter, after the update",
} as const;

/** What a page of a stage is made of, in addition to the stage itself. */
export interface StageContent extends PageContent {
  readonly counterparts: readonly StageCounterpart[];
  /** Of its chart. */
  readonly caption: string;
  readonly bounds: StageBounds;
  readonly constraintRuns: readonly ConstraintRun[];
}

/** The page of a stage. */
export function stagePage(stage: Stage, content: StageContent): string {
  const { factory, title, summary, sources, documentation, runs } = content;
  const { caption, counterparts, bounds, constraintRuns } = content;
  const options = optionSections(stage);
  const evaluation = evaluationFormulas(stage);
  const call = `${factory}()`;
  const inChain = stage.updated === "g" ? `${call}, adam()` : `adam(), ${call}`;
  const hasNumbers = runs.some(({ parts }) => parts.includes(stage.name));
  return page(title, `${title} in gradstep: formulas and arguments.`, [
    `# ${title}`,
    summary,
    `\`\`\`js\nimport { adam, chain, ${factory} } from "gradstep";\n\nconst spec = chain(${inChain});\n\`\`\``,
    table(
      ["changes", "state", "name in states and configurations"],
      [[places[stage.updated], stateSize(stage.variant()), code(stage.name)]],
    ),
    sources.map((one) => `- ${citation(one)}`).join("\n"),
    "## Effect",
    `<div class="pictures">${picture(`./pictures/${stage.name}`, `The effect of the stage ${title}`)}</div>`,
    caption,
    "## Formulas",
    "$\\theta$ is the parameter, $g_t$ its gradient in step $t$, $u_t$ the update that the rule subtracts, $\\eta$ the learning rate of the rule. [How formulas are made](../#formulas)",
    formulas(stage),
    evaluation === ""
      ? ""
      : `The weights to evaluate with, which \`optimizer.swap()\` exchanges with the parameters:\n\n${evaluation}`,
    hyperparameterTable(stage) === "" ? "" : "## Arguments",
    hyperparameterTable(stage),
    "## Notes",
    documentation,
    options.length === 0 ? "" : "## Options",
    ...options,
    slotTable(stage) === "" ? "" : "## State",
    slotTable(stage),
    "## In other libraries",
    stageCounterpartSection(counterparts, factory),
    "## Numbers",
    hasNumbers
      ? "Recorded runs of the libraries in f64, replayed: the largest difference of any value after any step, relative to the largest magnitude of that value, and, on backends that compute in f32, the largest error of any step as a part of its bound. [How the numbers are made](../#numbers)"
      : "None of the recorded runs of Keras, PyTorch and Optax has this stage.",
    hasNumbers ? numbersSection(stage.name, runs) : "",
    constraintTable(constraintRuns),
    boundsTable(bounds),
    "## Text",
    ruleText(stage),
  ]);
}
