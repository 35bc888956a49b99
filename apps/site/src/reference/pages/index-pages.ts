import type { Rule, Stage } from "@gradstep/core";
import type { Entry } from "../entries.js";
import { formulas } from "./formulas.js";
import { code, page, styledTable, table } from "./markdown.js";
import { places } from "./stage-page.js";
import { passes, stateBytes } from "./state.js";

function link({ title, rule }: Entry<Rule>): string {
  return `[${title}](./${rule.name})`;
}

function yearOf({ sources: [source] }: Entry<Rule>): string {
  return source === undefined ? "" : String(source.year);
}

/** The table of all rules. */
export function rulesPage(entries: readonly Entry<Rule>[]): string {
  const sgd = entries.find(({ rule }) => rule.name === "sgd")!.rule;
  return page("Optimizers", "All optimizers of gradstep, with their memory and passes.", [
    "# Optimizers",
    "Every optimizer is a [rule](../#formulas): a few lines of mathematics that run on every backend. Each page is made from the rule itself.",
    styledTable(
      "summaries",
      ["optimizer", "what it does", "state, bytes per parameter", "passes over memory", "year"],
      entries.map((entry) => [
        link(entry),
        entry.summary,
        stateBytes(entry.rule.variant()),
        passes(entry.rule.variant()),
        yearOf(entry),
      ]),
    ),
    "`muonWithAdamw()` makes one optimizer of two rules: [Muon](./muon) for the matrices between the layers, [AdamW](./adamw) for everything else.",
    "## Options of all rules",
    'All rules have `weightDecay`, `weightDecayMode` and `maximize`. With the default, `weightDecayMode: "decoupled"`, the decay is applied to the parameter before the update, as in Keras; for gradient descent:',
    formulas(sgd, { weightDecayMode: "decoupled" }, { hasDecay: true }),
    '`weightDecayMode: "l2"` adds it to the gradient, as PyTorch does for all but AdamW:',
    formulas(sgd, { weightDecayMode: "l2" }),
    '`maximize: true` changes the sign of the gradient. LAMB, Prodigy and schedule-free AdamW have `"update"` in addition, with which they add the decay to their update.',
  ]);
}

/** The table of all stages. */
export function stagesPage(entries: readonly Entry<Stage>[]): string {
  return page("Stages", "All stages of gradstep: what stands before and after an optimizer.", [
    "# Stages",
    "A stage changes the gradient $g$ before a rule, the update $u$ that the rule computes, or the parameter $\\theta$ after the update. `chain()` makes one optimizer of stages and a rule, with one state.",
    styledTable(
      "summaries",
      ["stage", "what it does", "changes", "state, bytes per parameter", "year"],
      entries.map((entry) => [
        link(entry),
        entry.summary,
        places[entry.rule.updated],
        stateBytes(entry.rule.variant()),
        yearOf(entry),
      ]),
    ),
  ]);
}

/** The functions of all stages, by what they assign, for the guide. */
export function stagesByPlace(entries: readonly Entry<Stage>[]): string {
  const places = { before: "g", between: "u", after: "p" } as const;
  return table(
    ["stands", "assigns", "stages"],
    Object.entries(places).map(([place, assigned]) => [
      place,
      code(assigned),
      entries
        .filter(({ rule }) => rule.updated === assigned)
        .map(({ factory }) => code(factory))
        .join(", "),
    ]),
  );
}

/** The first page of the reference. */
export function referencePage(): string {
  return page("Reference", "The reference of gradstep.", [
    "# Reference",
    "- [Optimizers](./rules/): formulas, arguments, state, and the numbers against Keras, PyTorch and Optax\n- [Stages](./stages/): clipping, weight decay, averages, constraints\n- [Schedules](./schedules/): values over steps\n- [API](/reference/api/): every function and type of all packages",
    "The pages of optimizers and stages are generated from their rules when the site is built.",
    "## Formulas",
    "A rule is text that gradstep compiles. The formulas on these pages are printed from that text and are equal to it for real numbers, which the tests check with random numbers for all options. They differ in form: names that are used once are written out, fractions are joined, and moving averages are corrected as in papers, with a hat, where the rule corrects its scalars. Statements that set values too small to matter to 0 are left out. The last section of each page has the text as it is, with the order of operations that decides the roundings.",
    "## Numbers",
    "The recorded runs were made with the libraries in f64. gradstep computes each run again in f64, from the same parameters and gradients. A difference of about 10<sup>−16</sup> is that of roundings.",
    "On a backend that computes in f32, each step starts from the backend's own values, and its error is compared with a bound. The bound follows from the operations of the rule, each of which rounds once; it is not tuned. 1 is the largest error that a correct implementation may have.",
  ]);
}
