import * as core from "@gradstep/core";
import type { Rule, Stage } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { initialSchedule, scheduleKinds } from "../controls/schedule-kinds.js";
import { documentationOf, parametersOf } from "./documentation.js";
import { drawn, type ScheduleEntry } from "./pages/schedule-page.js";
import { scheduleCounterparts } from "./schedule-counterparts.js";

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

/** Where core declares schedules. */
const scheduleFiles = {
  compositions: ["piecewise-constant", "warmup"],
  "cosine-decays": ["cosine-decay", "cosine-decay-restarts"],
  cycles: ["one-cycle", "cyclical", "warmup-stable-decay"],
  decays: ["exponential-decay", "inverse-time-decay", "polynomial-decay", "linear"],
} as const;

/** All kinds of schedules that can be picked. */
export function scheduleEntries(): readonly ScheduleEntry[] {
  return scheduleKinds.map((kind) => {
    const factory = kind.name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const found = Object.entries(scheduleFiles).find(([, names]) =>
      (names as readonly string[]).includes(kind.name),
    );
    if (found === undefined) throw new Error(`No file of core is known for ${kind.name}.`);
    const file = `schedules/${found[0]}.d.ts`;
    const parameters = parametersOf(file, factory);
    const data = initialSchedule(kind, drawn.value, drawn.steps);
    if (!Object.hasOwn(scheduleCounterparts, kind.name))
      throw new Error(`The counterparts of ${kind.name} are not listed.`);
    return {
      kind,
      factory,
      documentation: documentationOf(file, factory),
      call: callOf(factory, parameters, data.options),
      counterparts: scheduleCounterparts[kind.name].map(({ here, ...one }) => ({
        ...one,
        here: callOf(factory, parameters, here.options),
      })),
    };
  });
}

/** A call with its parameters in their order; what is left of the options goes into the last. */
function callOf(
  factory: string,
  parameters: readonly string[],
  options: Readonly<Record<string, unknown>>,
): string {
  const given = parameters.filter((name) => name !== "options");
  const rest = Object.entries(options).filter(([name]) => !given.includes(name));
  const own = rest.map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  const values = given
    .filter((name) => options[name] !== undefined)
    .map((name) => JSON.stringify(options[name]));
  const all = parameters.includes("options") && own.length > 0 ? [`{ ${own.join(", ")} }`] : [];
  return `${factory}(${[...values, ...all].join(", ")})`;
}
