import { parse } from "../language/parse.js";
import type { Rule } from "./rule.js";
import type { Stage } from "./stage-factory.js";
import type { VariantTexts } from "./variant.js";

/** A stage or a rule of a chain. */
export interface Link {
  readonly rule: Rule;
  /** Undefined for the rule. */
  readonly stage: Stage | undefined;
}

/** A link with its texts for some choices. */
export interface LinkTexts extends Link {
  readonly texts: VariantTexts;
}

/** Gives a name of a stage the name that it has in the chain. */
export type Rename = (name: string) => string;

/**
 * The names of each link in a chain. What a stage calculates for itself, its temporaries and scalars, gets the stage's
 * name in front, so that no two links use one name for different values; of what the rule calculates, the names that
 * other links define. Those of slots, hyperparameters and metrics stay as they are.
 */
export function stageRenaming(links: readonly LinkTexts[]): readonly Rename[] {
  const assigned = links.map(({ texts }) => namesOf(texts));
  const defined = new Set(
    links.flatMap(({ rule }, i) => [...Object.keys(rule.hyperparameters), ...assigned[i].shared]),
  );
  const taken = new Set(defined);
  links.forEach(({ stage }, i) => {
    if (stage === undefined) for (const name of assigned[i].own) taken.add(name);
  });
  return links.map(({ rule, stage }, i) => {
    const names = new Map<string, string>();
    for (const name of assigned[i].own)
      if (stage !== undefined || defined.has(name))
        names.set(name, freeName(`${prefixOf(rule.name)}_${name}`, taken));
    for (const name of names.values()) taken.add(name);
    return (name) => names.get(name) ?? name;
  });
}

function prefixOf(stage: string): string {
  return stage.replaceAll("-", "_");
}

/** The name, with a number if it is taken: the stages `clip-norm` and `clip_norm` have the same prefix. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  let number = 2;
  while (taken.has(`${name}_${number}`)) number += 1;
  return `${name}_${number}`;
}

/** The names that the texts of a link assign: those that other links may use, and its own. */
function namesOf(texts: VariantTexts): {
  readonly shared: ReadonlySet<string>;
  readonly own: ReadonlySet<string>;
} {
  const { slots, persistentScalars, metrics = {}, perStep, perElement, evaluation = [] } = texts;
  const tables = [slots, persistentScalars, metrics];
  const shared = new Set(["p", "g", "u", ...tables.flatMap((table) => Object.keys(table))]);
  const own = new Set(
    [...perStep, ...perElement, ...evaluation]
      .flatMap(({ text }) => parse(text).map(({ name }) => name))
      .filter((name) => !shared.has(name)),
  );
  return { shared, own };
}
