import { optimizers, type OptimizerName } from "@gradstep/digits/optimizers";
import { initialSchedule, scheduleKindOf, scheduleOf } from "../controls/schedule-kinds.js";
import {
  totalBatches,
  withOptimizer,
  type RunSettings,
  type TrainingBackend,
} from "./run-settings.js";

/** Several runs that differ in one thing. */
export interface Comparison {
  readonly name: string;
  readonly title: string;
  /** The runs, each with a name that says what is different. */
  readonly runs: (
    settings: RunSettings,
    backends: readonly TrainingBackend[],
  ) => readonly NamedSettings[];
}

export interface NamedSettings {
  readonly name: string;
  readonly settings: RunSettings;
}

const comparedOptimizers: readonly OptimizerName[] = ["adam", "sgd", "lion", "muon"];
const comparedSchedules = ["linear", "cosine-decay", "one-cycle"];

export const comparisons: readonly Comparison[] = [
  {
    name: "optimizers",
    title: "Adam, SGD, Lion and Muon",
    runs: (settings) =>
      comparedOptimizers.map((optimizer) => ({
        name: optimizers[optimizer].title,
        settings: withOptimizer(settings, optimizer),
      })),
  },
  {
    name: "rates",
    title: "a third, once, three times the rate",
    runs: (settings) =>
      [1 / 3, 1, 3].map((factor) => {
        const rate = Number((highestRate(settings) * factor).toPrecision(3));
        return { name: `rate ${rate}`, settings: withRate(settings, rate) };
      }),
  },
  {
    name: "schedules",
    title: "constant, linear, cosine, one cycle",
    runs: (settings) => {
      const rate = highestRate(settings);
      const steps = totalBatches(settings);
      return [
        { name: "constant", settings: withRule(settings, rate) },
        ...comparedSchedules.map((name) => {
          const kind = scheduleKindOf(name);
          return {
            name: kind.title,
            settings: withRule(settings, initialSchedule(kind, rate, steps)),
          };
        }),
      ];
    },
  },
  {
    name: "backends",
    title: "all backends of this browser",
    runs: (settings, backends) =>
      backends.map((backend) => ({ name: backend, settings: { ...settings, backend } })),
  },
];

function withRule(
  settings: RunSettings,
  learningRate: RunSettings["rule"]["learningRate"],
): RunSettings {
  return { ...settings, rule: { ...settings.rule, learningRate } };
}

/** The settings with another highest learning rate, along the same schedule. */
function withRate(settings: RunSettings, rate: number): RunSettings {
  const { learningRate } = settings.rule;
  if (typeof learningRate === "number") return withRule(settings, rate);
  const factor = rate / highestRate(settings);
  const kinds = new Map(
    scheduleKindOf(learningRate.schedule).options.map(({ name, kind }) => [name, kind]),
  );
  const scaled = (value: number): number => Number((value * factor).toPrecision(12));
  const options = Object.entries(learningRate.options).map(([name, value]) => {
    if (kinds.get(name) === "value") return [name, scaled(value as number)];
    if (name === "values") return [name, (value as readonly number[]).map(scaled)];
    return [name, value];
  });
  return withRule(settings, { ...learningRate, options: Object.fromEntries(options) });
}

/** The highest learning rate of a run. */
export function highestRate(settings: RunSettings): number {
  const { learningRate } = settings.rule;
  if (typeof learningRate === "number") return learningRate;
  const schedule = scheduleOf(learningRate);
  let highest = 0;
  for (let step = 0; step < totalBatches(settings); step += 1)
    highest = Math.max(highest, schedule.valueAt(step));
  return highest;
}
