import * as core from "@gradstep/core";
import type { Rule, Stage } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { documentationOf } from "./documentation.js";

/** A rule or stage, with what its page begins with. */
export interface Entry<T> {
  readonly rule: T;
  /** The name of the function that makes it, which core exports. */
  readonly factory: string;
  readonly title: string;
  readonly documentation: string;
}

const factories = Object.entries(core as Readonly<Record<string, unknown>>);

function factoryOf(rule: Rule, key: "rule" | "stage"): string {
  const found = factories.find(
    ([, value]) => (value as Partial<Record<typeof key, Rule>> | undefined)?.[key] === rule,
  );
  if (found === undefined) throw new Error(`Core exports no function for ${rule.name}.`);
  return found[0];
}

function capitalized(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

/** All built-in rules. */
export function ruleEntries(): readonly Entry<Rule>[] {
  return rules.map((rule) => {
    const factory = factoryOf(rule, "rule");
    const documentation = documentationOf(`rules/${rule.name}.d.ts`, factory);
    // "AdaBelief: Zhuang et al. 2020, …"
    const [, name] = /^([\w -]+):/.exec(documentation) ?? [];
    return { rule, factory, title: name ?? rule.name.toUpperCase(), documentation };
  });
}

/** All built-in stages. */
export function stageEntries(): readonly Entry<Stage>[] {
  return stages.map((stage) => {
    const factory = factoryOf(stage, "stage");
    return {
      rule: stage,
      factory,
      title: stage.name === "ema" ? "EMA of weights" : capitalized(stage.name.replaceAll("-", " ")),
      documentation: documentationOf(`stages/${stage.name}.d.ts`, factory),
    };
  });
}
