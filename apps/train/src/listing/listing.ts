import { optimizers } from "@gradstep/digits/optimizers";
import * as core from "@gradstep/core";
import type { Hyperparameter, OptionTable, Rule } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import documentation from "../generated/documentation.json" with { type: "json" };
import { scheduleNames } from "../training/schedule-expression.js";

/** A rule or a stage, with its arguments. */
export interface ListedRule {
  readonly name: string;
  /** The name of its function. */
  readonly function: string;
  /** What it is, and its paper. */
  readonly summary: string;
  readonly hyperparameters: Readonly<Record<string, Hyperparameter>>;
  /** The values of each option; the first is the default. */
  readonly options: OptionTable;
  /** The trainer's initial learning rate; null for rules that it does not run, and for stages. */
  readonly learningRate: number | null;
}

/** A schedule of a hyperparameter. */
export interface ListedSchedule {
  readonly function: string;
  readonly summary: string;
  /** Names; options are in braces, with their defaults. */
  readonly parameters: readonly string[];
}

/** All rules, stages and schedules of gradstep. */
export interface Listing {
  readonly rules: readonly ListedRule[];
  readonly stages: readonly ListedRule[];
  readonly schedules: readonly ListedSchedule[];
}

interface Documentation {
  readonly summary: string;
  readonly parameters: readonly string[];
}

const functions = documentation as Readonly<Record<string, Documentation>>;

/** Collects what core defines. */
export function listing(): Listing {
  const names = new Map(
    Object.entries(core).flatMap(([key, value]) =>
      typeof value === "function" && "variants" in value ? [[value.name, key]] : [],
    ),
  );
  const listed = ({ name, hyperparameters, options }: Rule): ListedRule => {
    const factory = names.get(name)!;
    return {
      name,
      function: factory,
      summary: functions[factory].summary,
      hyperparameters,
      options,
      learningRate:
        (optimizers as Readonly<Record<string, { learningRate: number }>>)[name]?.learningRate ??
        null,
    };
  };
  return {
    rules: rules.map(listed),
    stages: stages.map(listed),
    schedules: scheduleNames.map((name) => ({ function: name, ...functions[name] })),
  };
}
