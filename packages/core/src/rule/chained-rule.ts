import type { Source } from "../language/build-program.js";
import { tensorLanguage } from "../language/tensor-language.js";
import { assembleRule, type CompleteChoices } from "./assemble-rule.js";
import { checkNames, checkOrder, checkStage } from "./chain-checks.js";
import type { OptionTable } from "./options.js";
import type { Rule } from "./rule.js";
import { labelOf } from "./rule-factory.js";
import { stageRenaming, type Link, type LinkTexts, type Rename } from "./stage-renaming.js";
import { usesRows } from "./uses-rows.js";
import {
  assembleVariant,
  type Matrices,
  type Variant,
  type VariantPart,
  type VariantTexts,
} from "./variant.js";

/** A rule that is made of several. */
export interface ChainedRule extends Rule {
  readonly links: readonly Link[];
}

/** A link with the choices that are its own, and the names that it has in the chain. */
interface RenamedLink extends LinkTexts {
  readonly choices: CompleteChoices;
  readonly rename: Rename;
}

/** The texts of a chain, and the links whose texts they are. */
interface ChainTexts extends VariantTexts {
  readonly links: readonly RenamedLink[];
}

/** The rule of a chain of these links. @throws {GradstepError} as `chain` does */
export function chainedRule(links: readonly Link[]): ChainedRule {
  const name = links.map(({ rule }) => rule.name).join("+");
  checkOrder(name, links);
  const rule = links.find(({ stage }) => stage === undefined)!.rule;
  const parts = {
    name,
    hyperparameters: Object.assign(
      {},
      ...links.map((link) => link.rule.hyperparameters),
    ) as Rule["hyperparameters"],
    options: Object.assign({}, ...links.map((link) => link.rule.options)) as OptionTable,
    structural: rule.structural,
  };
  const textsOf = (choices: CompleteChoices, shape: OptionTable): ChainTexts =>
    joined(name, renamed(links, choices), labelOf(name, choices, shape));
  const build = (texts: ChainTexts): Variant => {
    const variant = assembleVariant(texts, tensorLanguage);
    const found = partsOf(variant, texts.links);
    return found === undefined ? variant : { ...variant, parts: found };
  };
  const assembled = assembleRule(parts, textsOf, build);
  const chained: ChainedRule = {
    ...assembled,
    isOwn: links.some(({ rule: { isOwn } }) => isOwn === true),
    links,
    specify: (settings) => ({ ...assembled.specify(settings), rule: chained }),
  };
  return chained;
}

function renamed(links: readonly Link[], choices: CompleteChoices): readonly RenamedLink[] {
  const chosen = links.map((link) => {
    const own = choicesOf(link.rule, choices);
    return { ...link, choices: own, texts: link.rule.texts(own) };
  });
  const renaming = stageRenaming(chosen);
  return chosen.map((link, i) => ({ ...link, rename: renaming[i] }));
}

function choicesOf(rule: Rule, choices: CompleteChoices): CompleteChoices {
  const known = [...Object.keys(rule.options), ...rule.structural];
  return Object.fromEntries(known.map((key) => [key, choices[key]]));
}

/**
 * The texts of all links, one after the other. What a stage calculates for itself has names of its own.
 * @throws {GradstepError} `INVALID_CHAIN` for names that clash, and stages that do not go with the rule
 */
function joined(name: string, links: readonly RenamedLink[], label: string): ChainTexts {
  checkNames(name, links);
  const own = links.find(({ stage }) => stage === undefined)!;
  for (const { stage } of links)
    if (stage !== undefined) checkStage(name, stage, own.rule, own.texts);
  const perElement = sourcesOf(own, "perElement");
  const of = (updated: string): readonly Source[] =>
    links.flatMap((link) => (link.stage?.updated === updated ? sourcesOf(link, "perElement") : []));
  return {
    rule: name,
    label,
    links,
    hyperparameters: links.flatMap(({ rule }) => Object.keys(rule.hyperparameters)),
    slots: Object.assign({}, ...links.map(({ texts }) => texts.slots)),
    persistentScalars: Object.assign({}, ...links.map(({ texts }) => texts.persistentScalars)),
    metrics: Object.assign({}, ...links.map(({ texts }) => texts.metrics)),
    matrices: matricesOf(links, own),
    perStep: links.flatMap((link) => sourcesOf(link, "perStep")),
    perElement: [
      ...of("g"),
      ...perElement.slice(0, -1),
      ...of("u"),
      perElement.at(-1)!,
      ...of("p"),
    ],
    evaluation: links.flatMap((link) => sourcesOf(link, "evaluation")),
  };
}

/** Those of the rule; stages decide only where the rule has neither rows nor columns. */
function matricesOf(
  links: readonly RenamedLink[],
  { rule, choices, texts }: RenamedLink,
): Matrices {
  if (texts.matrices !== undefined) return texts.matrices;
  const isLast = links.some((link) => link.texts.matrices === "last");
  return isLast && !usesRows(rule.variant(choices)) ? "last" : "first";
}

/** Texts of a link, with the names that it has in the chain. */
function sourcesOf(
  { texts, rename }: RenamedLink,
  which: "perStep" | "perElement" | "evaluation",
): readonly Source[] {
  return (texts[which] ?? []).map((source) => ({ ...source, rename }));
}

/** The variants of the links with where their scalars and slots are, if they can run one after the other. */
function partsOf(
  chained: Variant,
  links: readonly RenamedLink[],
): readonly VariantPart[] | undefined {
  if (links.some(({ stage }) => stage?.updated === "u")) return undefined;
  const slots = chained.slots.map(({ name }) => name);
  const parts = links.map(({ rule, choices, rename }): VariantPart => {
    const variant = rule.variant(choices);
    return {
      variant,
      scalars: variant.scalars.map((name) => chained.scalars.indexOf(rename(name))),
      slots: variant.slots.map(({ name }) => slots.indexOf(name)),
    };
  });
  const areComplete = parts.every(
    ({ variant, scalars }) =>
      !scalars.includes(-1) &&
      (variant.matrices === chained.matrices ||
        (variant.passPlan.temporaries.length === 0 && !usesRows(variant))),
  );
  return areComplete ? parts : undefined;
}
