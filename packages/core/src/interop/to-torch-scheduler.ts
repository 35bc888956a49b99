import { show } from "../errors.js";
import { isScheduleData, type ScheduleData } from "../schedules/schedule.js";
import type { TorchScheduler } from "./torch-schedulers.js";

/** A scheduler of PyTorch that has the values of a schedule. */
export interface SchedulerForm {
  /** The rate that the optimizer has to be made with, `initial_lr`. */
  readonly initialRate: number;
  /** Whether the scheduler exists for other initial rates, too. */
  readonly fitsAnyRate: boolean;
  /** The scheduler for an initial rate, or why there is none. */
  readonly scheduler: (initialRate: number) => TorchScheduler | string;
}

// The options of each kind were checked by the factory of the schedule.
type Options = Readonly<Record<string, never>>;

/** More steps than a training takes. */
const forever = 2 ** 31;

function fixed(initialRate: number, scheduler: TorchScheduler): SchedulerForm {
  return { initialRate, fitsAnyRate: false, scheduler: () => scheduler };
}

function free(initialRate: number, scheduler: SchedulerForm["scheduler"]): SchedulerForm {
  return { initialRate, fitsAnyRate: true, scheduler };
}

const forms: Readonly<Record<string, (options: Options) => SchedulerForm | string>> = {
  constant: ({ value }) =>
    free(value, (rate) =>
      value > rate
        ? `the rate ${String(value)} is above the initial rate ${rate}, and ConstantLR can only reduce it`
        : {
            name: "ConstantLR",
            factor: value / rate,
            total_iters: value === rate ? 0 : forever,
          },
    ),
  linear: ({ from, to, steps }) =>
    free(Math.max(from, to), (rate) =>
      from > 0 && to >= 0 && Math.max(from, to) <= rate
        ? {
            name: "LinearLR",
            start_factor: from / rate,
            end_factor: to / rate,
            total_iters: steps,
          }
        : `LinearLR needs values above 0 and up to the initial rate ${rate}; the schedule goes from ${String(from)} to ${String(to)}`,
    ),
  "exponential-decay": ({ initial, decaySteps, decayRate, staircase }) => {
    if (staircase)
      return fixed(initial, { name: "StepLR", step_size: decaySteps, gamma: decayRate });
    return decaySteps === 1
      ? fixed(initial, { name: "ExponentialLR", gamma: decayRate })
      : `ExponentialLR has decaySteps 1, and the schedule ${String(decaySteps)}`;
  },
  "polynomial-decay": ({ initial, decaySteps, end = 1e-4, power = 1, cycle = false }) =>
    end === 0 && !cycle
      ? fixed(initial, { name: "PolynomialLR", total_iters: decaySteps, power })
      : "PolynomialLR ends at 0 and does not start again",
  "cosine-annealing": ({ initial, end, halfPeriod }) =>
    fixed(initial, { name: "CosineAnnealingLR", T_max: halfPeriod, eta_min: end }),
  "cosine-decay": ({ initial, decaySteps, alpha = 0, warmupTarget = initial, warmupSteps = 0 }) => {
    const decay = {
      schedule: "cosine-annealing",
      options: { initial: warmupTarget, end: alpha * warmupTarget, halfPeriod: decaySteps },
    };
    const last = { schedule: "constant", options: { value: alpha * warmupTarget } };
    const growth = {
      schedule: "linear",
      options: { from: initial, to: warmupTarget, steps: warmupSteps },
    };
    const before = warmupSteps === 0 ? [] : [{ schedule: growth, steps: warmupSteps }];
    return sequence([...before, { schedule: decay, steps: decaySteps }], last);
  },
  "cosine-decay-restarts": ({
    initial,
    firstDecaySteps,
    periodFactor = 2,
    heightFactor = 1,
    alpha = 0,
  }) =>
    heightFactor === 1 && Number.isInteger(periodFactor) && periodFactor >= 1
      ? fixed(initial, {
          name: "CosineAnnealingWarmRestarts",
          T_0: firstDecaySteps,
          T_mult: periodFactor,
          eta_min: alpha * initial,
        })
      : "CosineAnnealingWarmRestarts has periods of equal height whose lengths grow by an integer factor",
  "one-cycle": ({ highest, divFactor = 25, finalDivFactor = 1e4, ...cycle }) =>
    free(highest / divFactor, () => ({
      name: "OneCycleLR",
      max_lr: highest,
      total_steps: cycle.steps,
      pct_start: cycle.warmupFraction ?? 0.3,
      anneal_strategy: cycle.shape === "linear" ? "linear" : "cos",
      div_factor: divFactor,
      final_div_factor: finalDivFactor,
      cycle_momentum: false,
    })),
  cyclical: ({ low, high, halfCycle, mode = "triangular", decayRate = 1 }) =>
    free(low, () => ({
      name: "CyclicLR",
      base_lr: low,
      max_lr: high,
      step_size_up: halfCycle,
      mode: { triangular: "triangular", halved: "triangular2", exponential: "exp_range" }[mode],
      gamma: decayRate,
      cycle_momentum: false,
    })),
  "piecewise-constant": ({ boundaries, values }) => steps(boundaries, values),
  join: ({ parts, last }) => sequence(parts, last),
  warmup: ({ steps: length, target, from = 0 }) => {
    const form = formOf(target);
    if (typeof form === "string") return form;
    const to = isScheduleData(target) ? form.initialRate : target;
    const growth = { schedule: "linear", options: { from, to, steps: length } };
    return sequence([{ schedule: growth, steps: length }], target);
  },
};

/** The scheduler that has the values of a schedule, or why there is none. */
export function formOf(schedule: number | ScheduleData): SchedulerForm | string {
  if (typeof schedule === "number")
    return formOf({ schedule: "constant", options: { value: schedule } });
  const { schedule: kind, options } = schedule;
  return Object.hasOwn(forms, kind)
    ? forms[kind](options as Options)
    : `PyTorch has no scheduler that does what ${kind === "function" ? "a function" : kind} does`;
}

/** Values that change at steps, as ConstantLR or MultiStepLR. */
function steps(boundaries: readonly number[], values: readonly number[]): SchedulerForm | string {
  const [first] = values;
  const rises = values.length === 2 && values[1] > first;
  if (rises)
    return fixed(values[1], {
      name: "ConstantLR",
      factor: first / values[1],
      total_iters: boundaries[0] + 1,
    });
  const factors = values.slice(1).map((value, i) => value / values[i]);
  // The factor that changes least; the others have to be powers of it.
  const [gamma] = [...factors].sort((a, b) => Math.abs(Math.log(a)) - Math.abs(Math.log(b)));
  const powers = factors.map((factor) =>
    factor === gamma ? 1 : Math.round(Math.log(factor) / Math.log(gamma)),
  );
  const isPower = factors.every(
    (factor, i) => powers[i] >= 1 && Math.abs(gamma ** powers[i] / factor - 1) < 1e-13,
  );
  if (!isPower || !boundaries.every((boundary) => Number.isSafeInteger(boundary) && boundary >= 0))
    return `MultiStepLR multiplies by one factor at each milestone; the values ${show(values)} have no common factor`;
  return fixed(first, {
    name: "MultiStepLR",
    milestones: boundaries.flatMap((boundary, i) =>
      Array.from({ length: powers[i] }, () => boundary + 1),
    ),
    gamma,
  });
}

/** Schedules one after the other; all schedulers have the same initial rate. */
function sequence(
  parts: readonly { readonly schedule: number | ScheduleData; readonly steps: number }[],
  last: number | ScheduleData,
): SchedulerForm | string {
  const found: SchedulerForm[] = [];
  for (const one of [...parts.map(({ schedule }) => schedule), last]) {
    const form = formOf(one);
    if (typeof form === "string") return form;
    found.push(form);
  }
  const fixedRates = found.flatMap((form) => (form.fitsAnyRate ? [] : [form.initialRate]));
  const rate = fixedRates[0] ?? Math.max(...found.map(({ initialRate }) => initialRate));
  if (fixedRates.some((other) => Math.abs(other / rate - 1) > 1e-13))
    return `the schedulers of SequentialLR start from one initial rate, and the parts from ${[...new Set(fixedRates)].join(" and ")}`;
  const schedulers: TorchScheduler[] = [];
  for (const { scheduler } of found) {
    const one = scheduler(rate);
    if (typeof one === "string") return one;
    schedulers.push(one);
  }
  let end = 0;
  const milestones = parts.map(({ steps: length }) => (end += length));
  return fixed(rate, { name: "SequentialLR", schedulers, milestones });
}

/**
 * The arguments with which a scheduler cycles the momentum as a schedule does, or why it does not.
 * @param rate the schedule of the learning rate
 */
export function momentumCycle(
  momentum: ScheduleData,
  rate: number | ScheduleData,
): Readonly<Record<string, unknown>> | string {
  const isCycle = ["one-cycle", "cyclical"].includes(momentum.schedule);
  if (!isCycle || !isScheduleData(rate) || rate.schedule !== momentum.schedule)
    return "PyTorch changes the momentum only with the learning rate, by OneCycleLR or CyclicLR";
  const { highest, divFactor = 25, finalDivFactor, low, high } = momentum.options as Options;
  const returns = momentum.schedule === "cyclical" || finalDivFactor === 1;
  if (!returns || cycleOf(momentum) !== cycleOf(rate))
    return "PyTorch changes the momentum in the cycle of the learning rate, and back to its first value";
  return momentum.schedule === "one-cycle"
    ? { cycle_momentum: true, base_momentum: highest, max_momentum: highest / divFactor }
    : { cycle_momentum: true, base_momentum: high, max_momentum: low };
}

/** The options that two schedules of one cycle have in common, for comparison. */
function cycleOf({ options }: ScheduleData): string {
  const names = ["steps", "warmupFraction", "shape", "halfCycle", "mode", "decayRate"];
  return JSON.stringify(names.map((name) => options[name]));
}
