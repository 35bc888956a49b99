import { cosineDecay, type Rule, type ScheduleData } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { optimizers, type OptimizerName } from "@gradstep/digits/optimizers";
import type { BackendName } from "../backends/browser-backends.js";
import type { SettingValue } from "../controls/hyperparameter-controls.js";
import type { HyperparameterChange } from "./live-hyperparameters.js";
import { scheduleKindOf } from "../controls/schedule-kinds.js";

/** Backends on which both TensorFlow.js and gradstep compute. */
export const trainingBackends = [
  "wasm",
  "wasm-threads",
  "webgpu",
  "cpu-js",
] as const satisfies readonly BackendName[];

export type TrainingBackend = (typeof trainingBackends)[number];

/** What a run trains with. Two runs of the same settings have the same bits. */
export interface RunSettings {
  readonly optimizer: OptimizerName;
  readonly backend: TrainingBackend;
  /** The learning rate, and the other hyperparameters and options of the rule that differ from their defaults. */
  readonly rule: RuleSettings;
  /** The global norm to which gradients are clipped. */
  readonly clip?: number;
  /** The momentum of an average of the weights, with which the network is evaluated. */
  readonly ema?: number;
  readonly epochs: number;
  /** Digits per batch. */
  readonly batchSize: number;
  /** Hyperparameters that get other values on the way, by batch. */
  readonly changes?: readonly HyperparameterChange[];
  /** Determines the initial weights, the order of the digits and how they are shifted. */
  readonly seed: number;
}

export type RuleSettings = Readonly<Record<string, SettingValue>> & {
  readonly learningRate: number | ScheduleData;
};

/** The digits that are trained on. */
export const trainingDigits = 8000;

export function batchesPerEpoch({ batchSize }: Pick<RunSettings, "batchSize">): number {
  return Math.ceil(trainingDigits / batchSize);
}

export function totalBatches(settings: Pick<RunSettings, "batchSize" | "epochs">): number {
  return settings.epochs * batchesPerEpoch(settings);
}

export function ruleOf(optimizer: OptimizerName): Rule {
  return rules.find(({ name }) => name === optimizer)!;
}

export const defaultSettings: RunSettings = withOptimizer(
  {
    optimizer: "adam",
    backend: "wasm",
    rule: { learningRate: 0 },
    epochs: 4,
    batchSize: 64,
    seed: 1,
  },
  "adam",
);

/**
 * The settings with another optimizer, whose learning rate suits the network: along half a cosine to a fiftieth, as in the
 * terminal, and constant for schedule-free rules.
 */
export function withOptimizer(settings: RunSettings, optimizer: OptimizerName): RunSettings {
  const rate = optimizers[optimizer].learningRate;
  const learningRate = optimizer.startsWith("schedule-free")
    ? rate
    : plain(cosineDecay(rate, totalBatches(settings), { alpha: 0.02 }));
  return { ...settings, optimizer, rule: { learningRate } };
}

/** The settings with other numbers of epochs and digits per batch. Schedules become longer or shorter in proportion. */
export function withLength(
  settings: RunSettings,
  length: Partial<Pick<RunSettings, "epochs" | "batchSize">>,
): RunSettings {
  const changed = { ...settings, ...length };
  const factor = totalBatches(changed) / totalBatches(settings);
  const rule = Object.fromEntries(
    Object.entries(settings.rule).map(([name, value]) => [
      name,
      typeof value === "object" ? stretched(value, factor) : value,
    ]),
  ) as RuleSettings;
  return { ...changed, rule };
}

function stretched({ schedule, options }: ScheduleData, factor: number): ScheduleData {
  const kinds = new Map(scheduleKindOf(schedule).options.map(({ name, kind }) => [name, kind]));
  const longer = (steps: number): number => Math.max(1, Math.round(steps * factor));
  const entries = Object.entries(options).map(([name, value]) => {
    if (kinds.get(name) === "steps") return [name, longer(value as number)];
    if (name === "boundaries") return [name, (value as readonly number[]).map(longer)];
    return [name, value];
  });
  return { schedule, options: Object.fromEntries(entries) };
}

function plain(schedule: ScheduleData): ScheduleData {
  return { schedule: schedule.schedule, options: schedule.options };
}
