import {
  buildVariant,
  createOptimizer,
  GradstepError,
  type Rule,
  type Variant,
  type VariantTexts,
} from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import type { Mutant } from "../mutant.js";
import { choiceCount, choicesAt } from "../../suite/random/random-settings.js";
import { target } from "../mutable-target.js";

/** A replacement in a text. The edit applies only if the text contains `from`. */
export type Edit = readonly [from: string | RegExp, to: string];

/** What is wrong in a rule's texts. */
export interface Edits {
  /** In `perElement`: all of them, or the variant stays as it is. */
  readonly element?: readonly Edit[];
  /** In `perStep`: all of them, or the variant stays as it is. */
  readonly step?: readonly Edit[];
  /** First values of slots. */
  readonly slots?: Readonly<Record<string, number>>;
}

/**
 * The rule with the edits made in every variant to which all of them apply.
 * @throws {GradstepError} `INVALID_RULE` if they apply to no variant, so that the mutant would equal the original
 */
export function mutateRule(rule: Rule, edits: Edits): Rule {
  const cache = new Map<Variant, Variant>();
  const mutate = (variant: Variant): Variant => {
    const element = apply(variant.perElement.source, edits.element);
    const step = apply(variant.perStep.source, edits.step);
    if (element === undefined || step === undefined) return variant;
    return buildVariant({
      rule: variant.rule,
      label: variant.label,
      hyperparameters: Object.keys(rule.hyperparameters),
      slots: Object.fromEntries(
        variant.slots.flatMap(({ name, initial, extent, isMetric }) =>
          isMetric ? [] : [[name, { extent, initial: edits.slots?.[name] ?? initial }]],
        ),
      ),
      metrics: metricsOf(variant),
      persistentScalars: variant.persistentScalars,
      // The source already contains the statements that all rules share.
      matrices: variant.matrices,
      perStep: [{ text: step, isCommon: true }, { text: "" }],
      perElement: [{ text: element }],
    });
  };
  const cached = (variant: Variant): Variant => {
    const found = cache.get(variant) ?? mutate(variant);
    cache.set(variant, found);
    return found;
  };
  const mutated: Rule = {
    ...rule,
    variant: (choices) => cached(rule.variant(choices)),
    variants: () => rule.variants().map(cached),
    specify: (settings) => ({ ...rule.specify(settings), rule: mutated }),
  };
  const all = Array.from({ length: choiceCount(rule) }, (_, i) => rule.variant(choicesAt(rule, i)));
  if (all.every((variant) => cached(variant) === variant)) {
    throw new GradstepError(
      `The edits ${JSON.stringify(edits)} apply to no variant of ${rule.name}; expected at least one.`,
      { code: "INVALID_RULE" },
    );
  }
  return mutated;
}

type Metrics = NonNullable<VariantTexts["metrics"]>;

/** The metrics of a variant, as its definition has them. */
export function metricsOf({ slots }: Variant): Metrics {
  return Object.fromEntries(
    slots.flatMap(({ name, extent, isMetric }) =>
      isMetric ? [[name, extent as Metrics[string]]] : [],
    ),
  );
}

/** A mutant of one built-in rule: optimizers of that rule use the edited one. */
export function ruleMutant(name: string, rule: string, edits: Edits): Mutant {
  return {
    name: `${rule}: ${name}`,
    kind: "rule",
    rule,
    target: () => {
      // Built before any check runs, so that an edit that does not parse is an error and does not count as a kill.
      const mutated = mutateRule(
        rules.find((one) => one.name === rule)!,
        edits,
      );
      const create: typeof createOptimizer = (spec, parameters, options) =>
        createOptimizer(
          spec?.rule?.name === rule ? { ...spec, rule: mutated } : spec,
          parameters,
          options,
        );
      return target({ create });
    },
  };
}

function apply(text: string, edits: readonly Edit[] = []): string | undefined {
  let result = text;
  for (const [from, to] of edits) {
    const next = typeof from === "string" ? result.replaceAll(from, to) : result.replace(from, to);
    if (next === result) return undefined;
    result = next;
  }
  return result;
}
