import * as core from "@gradstep/core";
import type { Rule, Stage } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { initialSchedule, scheduleKinds } from "../controls/schedule-kinds.js";
import { factoryOf, type RuleName, type StageName } from "../core-names.js";
import { declarationFiles, declares, documentationOf, parametersOf } from "./documentation.js";
import { drawn, type ScheduleEntry } from "./pages/schedule-page.js";
import type { Source } from "./papers.js";
import { ruleInfos } from "./rule-infos.js";
import { scheduleInfos } from "./schedules/schedule-infos.js";
import type { StageInfo } from "./stages/stage-info.js";
import { stageInfos } from "./stages/stage-infos.js";

/** A rule or stage, with what its page begins with. */
export interface Entry<T> {
  readonly rule: T;
  /** The name of the function that makes it, which core exports. */
  readonly factory: string;
  readonly title: string;
  readonly documentation: string;
  /** What it is for, in one line. */
  readonly summary: string;
  readonly sources: readonly Source[];
}

/** A stage, with what its page says in addition. */
export type StageEntry = Entry<Stage> & StageInfo;

const exported = core as Readonly<Record<string, unknown>>;

/** @throws for what core does not export under the name that its own name gives */
function exportOf<T extends string>(rule: Rule, key: "rule" | "stage"): T {
  const factory = factoryOf(rule.name);
  const found = exported[factory] as Partial<Record<typeof key, Rule>> | undefined;
  if (found?.[key] !== rule) throw new Error(`Core exports no ${factory} for ${rule.name}.`);
  return factory as T;
}

function capitalized(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

/** All built-in rules. */
export function ruleEntries(): readonly Entry<Rule>[] {
  return rules.map((rule) => {
    const factory = exportOf<RuleName>(rule, "rule");
    const documentation = documentationOf(`rules/${rule.name}.d.ts`, factory);
    // "AdaBelief: Zhuang et al. 2020, …"
    const [, name] = /^([\w -]+):/.exec(documentation) ?? [];
    const title = name ?? rule.name.toUpperCase();
    return { rule, factory, title, documentation, ...ruleInfos[factory] };
  });
}

/** All built-in stages. */
export function stageEntries(): readonly StageEntry[] {
  return stages.map((stage) => {
    const factory = exportOf<StageName>(stage, "stage");
    return {
      rule: stage,
      factory,
      title: stage.name === "ema" ? "EMA of weights" : capitalized(stage.name.replaceAll("-", " ")),
      documentation: documentationOf(`stages/${stage.name}.d.ts`, factory),
      ...stageInfos[factory],
    };
  });
}

/** The file of core that declares a schedule. */
function scheduleFileOf(factory: string): string {
  const folder = "schedules/";
  const file = declarationFiles(folder).find((one) => declares(folder + one, factory));
  if (file === undefined) throw new Error(`No file of core declares ${factory}.`);
  return folder + file;
}

/** All kinds of schedules that can be picked. */
export function scheduleEntries(): readonly ScheduleEntry[] {
  return scheduleKinds.map((kind) => {
    const { factory } = kind;
    const { counterparts, ...info } = scheduleInfos[factory];
    const file = scheduleFileOf(factory);
    const parameters = parametersOf(file, factory);
    const data = initialSchedule(kind, drawn.value, drawn.steps);
    return {
      kind,
      ...info,
      documentation: documentationOf(file, factory),
      call: callOf(factory, parameters, data.options),
      counterparts: counterparts.map(({ here, ...one }) => ({
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
