import type { Source } from "../language/build-program.js";
import { tensorLanguage } from "../language/tensor-language.js";
import { assembleRule, type CompleteChoices } from "./assemble-rule.js";
import { checkNames, checkOrder, checkStage } from "./chain-checks.js";
import type { OptionTable } from "./options.js";
import type { Rule } from "./rule.js";
import { labelOf } from "./rule-factory.js";
import { stageRenaming, type Link, type Rename } from "./stage-renaming.js";
import { assembleVariant, type Variant, type VariantPart, type VariantTexts } from "./variant.js";

/** A rule that is made of several. */
export interface ChainedRule extends Rule {
  readonly links: readonly Link[];
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
  const textsOf = (choices: CompleteChoices, shape: OptionTable): VariantTexts =>
    joined(name, links, choices, shape);
  const build = (texts: VariantTexts, choices: CompleteChoices): Variant => {
    const variant = assembleVariant(texts, tensorLanguage);
    const found = partsOf(variant, links, choices);
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

/**
 * The texts of all links, one after the other. What a stage calculates for itself has names of its own.
 * @throws {GradstepError} `INVALID_CHAIN` for names that clash, and stages that do not go with the rule
 */
function joined(
  name: string,
  links: readonly Link[],
  choices: CompleteChoices,
  shape: OptionTable,
): VariantTexts {
  const textsOf = ({ rule }: Link): VariantTexts => rule.texts(choicesOf(rule, choices));
  const renaming = stageRenaming(links, textsOf);
  const all = links.map((link, i) => {
    const texts = textsOf(link);
    return { ...link, texts, sources: sourcesOf(texts, renaming[i]) };
  });
  checkNames(name, all);
  const {
    rule,
    texts: ruleTexts,
    sources: { perElement: own },
  } = all.find(({ stage }) => stage === undefined)!;
  for (const { stage } of links) if (stage !== undefined) checkStage(name, stage, rule, ruleTexts);
  const of = (updated: string): readonly Source[] =>
    all.flatMap(({ stage, sources }) => (stage?.updated === updated ? sources.perElement : []));
  const matrices = all.map(({ texts }) => texts.matrices).find((one) => one === "last");
  return {
    rule: name,
    label: labelOf(name, choices, shape),
    hyperparameters: all.flatMap(({ rule }) => Object.keys(rule.hyperparameters)),
    slots: Object.assign({}, ...all.map(({ texts }) => texts.slots)),
    persistentScalars: Object.assign({}, ...all.map(({ texts }) => texts.persistentScalars)),
    metrics: Object.assign({}, ...all.map(({ texts }) => texts.metrics)),
    matrices: matrices ?? ruleTexts.matrices ?? "first",
    perStep: all.flatMap(({ sources }) => sources.perStep),
    perElement: [...of("g"), ...own.slice(0, -1), ...of("u"), own.at(-1)!, ...of("p")],
    evaluation: all.flatMap(({ sources }) => sources.evaluation),
  };
}

/** The sources of a link, with the names that it has in the chain. */
function sourcesOf(
  texts: VariantTexts,
  rename: Rename,
): Readonly<Record<"perStep" | "perElement" | "evaluation", readonly Source[]>> {
  const renamed = (sources: readonly Source[] = []): readonly Source[] =>
    sources.map((source) => ({ ...source, rename }));
  return {
    perStep: renamed(texts.perStep),
    perElement: renamed(texts.perElement),
    evaluation: renamed(texts.evaluation),
  };
}

function choicesOf(rule: Rule, choices: CompleteChoices): CompleteChoices {
  const known = [...Object.keys(rule.options), ...rule.structural];
  return Object.fromEntries(known.map((key) => [key, choices[key]]));
}

/** The variants of the links with where their scalars and slots are, if they can run one after the other. */
function partsOf(
  chained: Variant,
  links: readonly Link[],
  choices: CompleteChoices,
): readonly VariantPart[] | undefined {
  if (links.some(({ stage }) => stage?.updated === "u")) return undefined;
  const slots = chained.slots.map(({ name }) => name);
  const renaming = stageRenaming(links, ({ rule }) => rule.texts(choicesOf(rule, choices)));
  const parts = links.map(({ rule }, i): VariantPart => {
    const variant = rule.variant(choicesOf(rule, choices));
    const rename = renaming[i];
    return {
      variant,
      scalars: variant.scalars.map((name) => chained.scalars.indexOf(rename(name))),
      slots: variant.slots.map(({ name }) => slots.indexOf(name)),
    };
  });
  const areComplete = parts.every(
    ({ variant, scalars }) =>
      !scalars.includes(-1) &&
      (variant.matrices === chained.matrices || variant.passPlan.temporaries.length === 0),
  );
  return areComplete ? parts : undefined;
}
