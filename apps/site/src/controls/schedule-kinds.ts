import { dataNameOf, type ScheduleName } from "../core-names.js";
import {
  cosineDecay,
  cosineDecayRestarts,
  cyclical,
  exponentialDecay,
  GradstepError,
  inverseTimeDecay,
  linear,
  oneCycle,
  piecewiseConstant,
  polynomialDecay,
  warmup,
  warmupStableDecay,
  type Schedule,
  type ScheduleData,
} from "@gradstep/core";

/** An option of a kind of schedule. */
export interface ScheduleOptionKind {
  readonly name: string;
  readonly meaning: string;
  /** `value`: as the hyperparameter; `steps`: a number of steps; `number`: a factor or a fraction; or one of these words. */
  readonly kind: "value" | "steps" | "number" | "numbers" | readonly string[];
  /** What it is when the kind is chosen for a hyperparameter with this value, in a run of this many steps. */
  readonly initial: (value: number, steps: number) => number | string | readonly number[];
}

/** A kind of schedule that can be picked. */
export interface ScheduleKindInfo {
  /** Its name in data: `cosine-decay`. */
  readonly name: string;
  /** The name of the function that makes it: `cosineDecay`. */
  readonly factory: ScheduleName;
  readonly title: string;
  /** One sentence. */
  readonly meaning: string;
  readonly options: readonly ScheduleOptionKind[];
  /** @throws {GradstepError} `INVALID_HYPERPARAMETER` */
  readonly make: (options: Options) => Schedule;
}

/** Of any type: core's functions check what they get. */
type Options = Readonly<Record<string, never>>;

const value = (name: string, meaning: string, factor = 1): ScheduleOptionKind => ({
  name,
  meaning,
  kind: "value",
  initial: (one) => Number((one * factor).toPrecision(12)),
});
const steps = (name: string, meaning: string, fraction = 1): ScheduleOptionKind => ({
  name,
  meaning,
  kind: "steps",
  initial: (_, all) => Math.max(1, Math.round(all * fraction)),
});
const number = (name: string, meaning: string, initial: number): ScheduleOptionKind => ({
  name,
  meaning,
  kind: "number",
  initial: () => initial,
});
const choice = (
  name: string,
  meaning: string,
  words: readonly [string, ...string[]],
): ScheduleOptionKind => ({ name, meaning, kind: words, initial: () => words[0] });

/** Without an entry for each schedule that core exports, this does not compile. */
const kinds: Readonly<Record<ScheduleName, Omit<ScheduleKindInfo, "name" | "factory">>> = {
  linear: {
    title: "Linear",
    meaning: "From one value to another in a straight line, then constant.",
    options: [
      value("from", "The first value."),
      value("to", "The last value.", 0),
      steps("steps", "The number of steps from one to the other."),
    ],
    make: (o) => linear(o.from, o.to, o.steps),
  },
  cosineDecay: {
    title: "Cosine",
    meaning:
      "Half a cosine: flat at first, steep in the middle, flat at the end (Loshchilov & Hutter 2017).",
    options: [
      value("initial", "The first value."),
      steps("decaySteps", "The number of steps to the end of the decay."),
      number("alpha", "The last value as a fraction of the first.", 0),
    ],
    make: (o) => cosineDecay(o.initial, o.decaySteps, { alpha: o.alpha }),
  },
  cosineDecayRestarts: {
    title: "Cosine with restarts",
    meaning: "Cosine decays one after the other, each longer than the last (SGDR).",
    options: [
      value("initial", "The first value."),
      steps("firstDecaySteps", "The number of steps of the first decay.", 0.2),
      number("periodFactor", "How much longer each decay is than the one before.", 2),
      number("heightFactor", "How much higher each decay starts than the one before.", 1),
      number("alpha", "The last value of a decay as a fraction of the first.", 0),
    ],
    make: ({ initial, firstDecaySteps, ...options }) =>
      cosineDecayRestarts(initial, firstDecaySteps, options),
  },
  exponentialDecay: {
    title: "Exponential",
    meaning: "Falls by the same factor in equal numbers of steps.",
    options: [
      value("initial", "The first value."),
      steps("decaySteps", "The number of steps in which the value falls by the factor.", 0.2),
      number("decayRate", "The factor.", 0.5),
    ],
    make: (o) => exponentialDecay(o.initial, o.decaySteps, o.decayRate),
  },
  inverseTimeDecay: {
    title: "Inverse time",
    meaning: "Divided by 1 + decayRate · step / decaySteps: fast at first, slow later.",
    options: [
      value("initial", "The first value."),
      steps("decaySteps", "The unit of time.", 0.1),
      number("decayRate", "How much the divisor grows per unit of time.", 1),
    ],
    make: (o) => inverseTimeDecay(o.initial, o.decaySteps, o.decayRate),
  },
  polynomialDecay: {
    title: "Polynomial",
    meaning: "As (1 − step / decaySteps) to a power.",
    options: [
      value("initial", "The first value."),
      value("end", "The last value.", 0),
      steps("decaySteps", "The number of steps to the end of the decay."),
      number("power", "1 is a straight line; more is steeper at first.", 2),
    ],
    make: (o) => polynomialDecay(o.initial, o.decaySteps, { end: o.end, power: o.power }),
  },
  piecewiseConstant: {
    title: "Steps",
    meaning: "Constant between boundaries.",
    options: [
      {
        name: "boundaries",
        meaning: "The steps after which the value changes.",
        kind: "numbers",
        initial: (_, all) => [Math.round(all / 2), Math.round((all * 3) / 4)],
      },
      {
        name: "values",
        meaning: "The values, one more than boundaries.",
        kind: "numbers",
        initial: (one) => [one, one / 10, one / 100].map((each) => Number(each.toPrecision(12))),
      },
    ],
    make: (o) => piecewiseConstant(o.boundaries, o.values),
  },
  warmup: {
    title: "Warm-up",
    meaning: "Grows linearly, then stays.",
    options: [
      steps("steps", "The number of steps of the growth.", 0.1),
      value("target", "The value after the warm-up."),
      value("from", "The first value.", 0),
    ],
    make: (o) => warmup(o.steps, o.target, o.from),
  },
  warmupStableDecay: {
    title: "Warm-up, stable, decay",
    meaning: "Grows, stays, and decays at the end.",
    options: [
      value("highest", "The value in the middle."),
      steps("warmupSteps", "The number of steps of the growth.", 0.1),
      steps("stableSteps", "The number of steps at the highest value.", 0.6),
      steps("decaySteps", "The number of steps of the decay.", 0.3),
      choice("shape", "The shape of the decay.", ["linear", "sqrt", "cosine"]),
    ],
    make: (o) =>
      warmupStableDecay(o.highest, {
        warmupSteps: o.warmupSteps,
        stableSteps: o.stableSteps,
        decaySteps: o.decaySteps,
        shape: o.shape,
      }),
  },
  oneCycle: {
    title: "One cycle",
    meaning: "Grows to the highest value and falls to almost 0 (Smith & Topin 2019).",
    options: [
      value("highest", "The highest value."),
      steps("steps", "The number of steps of the cycle."),
      number("warmupFraction", "The part of the steps in which the value grows.", 0.3),
      number("divFactor", "The highest value divided by the first.", 25),
    ],
    make: ({ highest, steps: all, ...options }) => oneCycle(highest, all, options),
  },
  cyclical: {
    title: "Cyclical",
    meaning: "Up and down between two values (Smith 2017).",
    options: [
      value("low", "The lowest value.", 0.1),
      value("high", "The highest value."),
      steps("halfCycle", "The number of steps from low to high.", 0.1),
      choice("mode", "How the height changes: not, or halved with each cycle.", [
        "triangular",
        "halved",
      ]),
    ],
    make: ({ low, high, halfCycle, ...options }) => cyclical(low, high, halfCycle, options),
  },
};

/** The kinds of schedules that can be picked. */
export const scheduleKinds: readonly ScheduleKindInfo[] = Object.entries(kinds).map(
  ([factory, kind]) => ({ name: dataNameOf(factory), factory: factory as ScheduleName, ...kind }),
);

/** @throws {GradstepError} `UNSUPPORTED` */
export function scheduleKindOf(name: string): ScheduleKindInfo {
  const found = scheduleKinds.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new GradstepError(
    `There is no schedule "${name}" here; expected one of ${scheduleKinds.map((one) => one.name).join(", ")}.`,
    { code: "UNSUPPORTED" },
  );
}

/** A schedule of a kind with values that fit a hyperparameter's value and the length of the run. */
export function initialSchedule(
  kind: ScheduleKindInfo,
  value: number,
  steps: number,
): ScheduleData {
  const options = kind.options.map(({ name, initial }) => [name, initial(value, steps)] as const);
  return { schedule: kind.name, options: Object.fromEntries(options) };
}

/** The schedule of data. @throws {GradstepError} `UNSUPPORTED`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` */
export function scheduleOf({ schedule, options }: ScheduleData): Schedule {
  return scheduleKindOf(schedule).make(options as Options);
}
