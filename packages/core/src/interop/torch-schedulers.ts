import { GradstepError, show } from "../errors.js";
import { isArray } from "../argument-checks/is-array.js";
import { constant, joinSchedules, piecewiseConstant } from "../schedules/compositions.js";
import { cosineAnnealingKind, cosineDecayRestarts } from "../schedules/cosine-decays.js";
import { cyclical, oneCycle } from "../schedules/cycles.js";
import { exponentialDecay, linear, polynomialDecay } from "../schedules/decays.js";
import { checkNumbers, checkSteps, type Schedule } from "../schedules/schedule.js";
import { checkIsObject, ignored, lookUp, translate, type OptionMap } from "./option-map.js";

/** A scheduler of `torch.optim.lr_scheduler`: its class as `name`, and the arguments of its constructor. */
export interface TorchScheduler {
  readonly name: string;
  readonly [argument: string]: unknown;
}

/** What a scheduler sets. */
export interface ScheduledHyperparameters {
  readonly learningRate: Schedule;
  /** Momentum, or β₁ of Adam; undefined if the scheduler leaves it alone. */
  readonly momentum?: Schedule | undefined;
}

/** Arguments of a scheduler, with PyTorch's defaults; their values are checked by the schedules that are made of them. */
type Arguments = Readonly<Record<string, never>>;

interface SchedulerClass {
  readonly options: OptionMap;
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Arguments without a default, if `make` does not check them itself. */
  readonly required?: readonly string[];
  /** @param rate the learning rate of the optimizer or of a group */
  readonly make: (settings: Arguments, rate: number) => Schedule;
  /** The momentum, if `cycle_momentum` is true. */
  readonly momentum?: (settings: Arguments) => Schedule;
}

const same = (names: readonly string[]): OptionMap =>
  Object.fromEntries([
    ["last_epoch", { only: [-1], why: "A schedule starts with the optimizer's first step." }],
    ["verbose", ignored],
    ...names.map((name) => [name, { to: name }]),
  ]) as OptionMap;

const momentumOptions = ["cycle_momentum", "base_momentum", "max_momentum"];

const classes: Readonly<Record<string, SchedulerClass>> = {
  StepLR: {
    options: same(["step_size", "gamma"]),
    defaults: { gamma: 0.1 },
    required: ["step_size"],
    make: ({ step_size: steps, gamma }, rate) =>
      exponentialDecay(rate, steps, gamma, { staircase: true }),
  },
  MultiStepLR: {
    options: same(["milestones", "gamma"]),
    defaults: { gamma: 0.1 },
    make: ({ milestones, gamma }, rate) => multiStep(rate, milestones, gamma),
  },
  ExponentialLR: {
    options: same(["gamma"]),
    defaults: {},
    required: ["gamma"],
    make: ({ gamma }, rate) => exponentialDecay(rate, 1, gamma),
  },
  CosineAnnealingLR: {
    options: same(["T_max", "eta_min"]),
    defaults: { eta_min: 0 },
    make: ({ T_max: halfPeriod, eta_min: end }, rate) => {
      checkSteps("CosineAnnealingLR", "T_max", halfPeriod);
      checkNumbers("CosineAnnealingLR", { eta_min: end });
      return cosineAnnealingKind({ initial: rate, end, halfPeriod });
    },
  },
  CosineAnnealingWarmRestarts: {
    options: same(["T_0", "T_mult", "eta_min"]),
    defaults: { T_mult: 1, eta_min: 0 },
    required: ["T_0"],
    make: ({ T_0: first, T_mult: periodFactor, eta_min: end }, rate) =>
      cosineDecayRestarts(rate, first, {
        periodFactor,
        alpha: (end as number) === 0 ? 0 : end / rate,
      }),
  },
  OneCycleLR: {
    options: {
      ...same([
        "max_lr",
        "total_steps",
        "epochs",
        "steps_per_epoch",
        "pct_start",
        "anneal_strategy",
        "div_factor",
        "final_div_factor",
        ...momentumOptions,
      ]),
      three_phase: { only: [false], why: "The cycle has two phases here." },
    },
    defaults: {
      pct_start: 0.3,
      anneal_strategy: "cos",
      cycle_momentum: true,
      base_momentum: 0.85,
      max_momentum: 0.95,
      div_factor: 25,
      final_div_factor: 1e4,
    },
    required: ["max_lr"],
    make: (settings) =>
      oneCycle(settings.max_lr, totalSteps(settings), {
        ...cycleShape(settings),
        divFactor: settings.div_factor,
        finalDivFactor: settings.final_div_factor,
      }),
    momentum: (settings) =>
      oneCycle(settings.base_momentum, totalSteps(settings), {
        ...cycleShape(settings),
        divFactor: settings.base_momentum / settings.max_momentum,
        finalDivFactor: 1,
      }),
  },
  CyclicLR: {
    options: {
      ...same(["base_lr", "max_lr", "step_size_up", "mode", "gamma", ...momentumOptions]),
      step_size_down: { only: [null], why: "Both halves of a cycle have the same length." },
      scale_fn: { only: [null], why: "Pass a function of the step as the learning rate." },
      scale_mode: ignored,
    },
    defaults: {
      step_size_up: 2000,
      mode: "triangular",
      gamma: 1,
      cycle_momentum: true,
      base_momentum: 0.8,
      max_momentum: 0.9,
    },
    required: ["base_lr", "max_lr"],
    make: (settings) => cycles(settings, settings.base_lr, settings.max_lr),
    momentum: (settings) => cycles(settings, settings.max_momentum, settings.base_momentum),
  },
  LinearLR: {
    options: same(["start_factor", "end_factor", "total_iters"]),
    defaults: { start_factor: 1 / 3, end_factor: 1, total_iters: 5 },
    make: ({ start_factor: from, end_factor: to, total_iters: steps }, rate) =>
      linear(rate * from, rate * to, steps),
  },
  ConstantLR: {
    options: same(["factor", "total_iters"]),
    defaults: { factor: 1 / 3, total_iters: 5 },
    make: ({ factor, total_iters: steps }, rate) => {
      if ((steps as unknown) === 0) return constant(rate);
      checkSteps("ConstantLR", "total_iters", steps);
      return piecewiseConstant([steps - 1], [rate * factor, rate]);
    },
  },
  PolynomialLR: {
    options: same(["total_iters", "power"]),
    defaults: { total_iters: 5, power: 1 },
    make: ({ total_iters: steps, power }, rate) => polynomialDecay(rate, steps, { end: 0, power }),
  },
  SequentialLR: {
    options: same(["schedulers", "milestones"]),
    defaults: {},
    make: ({ schedulers, milestones }, rate) => sequence(schedulers, milestones, rate),
  },
};

/**
 * What a scheduler sets that is stepped after each step of the optimizer.
 *
 * @param rate the learning rate of the optimizer or of a group
 * @throws {GradstepError} `UNSUPPORTED`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function scheduledByTorch(scheduler: unknown, rate: unknown): ScheduledHyperparameters {
  checkIsObject("PyTorch's scheduler", scheduler);
  const { name, ...given } = scheduler;
  const { options, defaults, required, make, momentum } = lookUp("PyTorch", name, classes);
  const owner = `PyTorch's ${String(name)}`;
  const settings = { ...defaults, ...translate(owner, given, options) } as Arguments;
  const missing = required?.find((one) => !Object.hasOwn(settings, one));
  if (missing !== undefined)
    throw new GradstepError(
      `${owner}: ${missing} is missing; expected it, since PyTorch has no default.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  checkNumbers(owner, { lr: rate });
  if (momentum === undefined) return { learningRate: make(settings, rate as number) };
  const { cycle_momentum: cycles } = settings as Readonly<Record<string, unknown>>;
  return {
    learningRate: make(settings, rate as number),
    momentum: cycles === false ? undefined : momentum(settings),
  };
}

/** The rate is multiplied at each milestone, more than once at one that is listed so. */
function multiStep(rate: number, milestones: unknown, gamma: number): Schedule {
  const sorted = checkedMilestones("MultiStepLR", milestones);
  const distinct = [...new Set(sorted)];
  const factors = distinct.map(
    (milestone) => gamma ** sorted.filter((other) => other <= milestone).length,
  );
  return piecewiseConstant(
    // A value of ours lasts up to its boundary, one of PyTorch's ends before its milestone.
    distinct.map((milestone) => milestone - 1),
    [rate, ...factors.map((factor) => rate * factor)],
  );
}

function checkedMilestones(owner: string, milestones: unknown): number[] {
  const isValid =
    isArray(milestones) &&
    milestones.every((one) => Number.isSafeInteger(one) && (one as number) >= 0);
  if (isValid) return [...(milestones as number[])].sort((a, b) => a - b);
  throw new GradstepError(
    `PyTorch's ${owner}: milestones is ${show(milestones)}; expected a list of steps, such as [30, 80].`,
    { code: "INVALID_HYPERPARAMETER" },
  );
}

function sequence(schedulers: unknown, milestones: unknown, rate: number): Schedule {
  const ends = checkedMilestones("SequentialLR", milestones);
  if (!isArray(schedulers) || schedulers.length !== ends.length + 1) {
    throw new GradstepError(
      `PyTorch's SequentialLR: schedulers is ${show(schedulers)}; expected a list with one more than milestones.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  const parts = schedulers.map((one: unknown) => {
    const { learningRate, momentum } = scheduledByTorch(one, rate);
    if (momentum === undefined) return learningRate;
    throw new GradstepError(
      "PyTorch's SequentialLR: a scheduler cycles the momentum; expected cycle_momentum: false in a sequence.",
      { code: "UNSUPPORTED" },
    );
  });
  const timed = ends.map((end, i): readonly [Schedule, number] => [
    parts[i],
    end - (ends[i - 1] ?? 0),
  ]);
  return joinSchedules(...timed, parts.at(-1)!);
}

function totalSteps({
  total_steps: total = null as never,
  epochs,
  steps_per_epoch: steps,
}: Arguments): number {
  return total === null ? epochs * steps : total;
}

function cycleShape({ pct_start: warmupFraction, anneal_strategy: strategy }: Arguments): {
  readonly warmupFraction: number;
  readonly shape: "cosine" | "linear";
} {
  return { warmupFraction, shape: strategy === "cos" ? "cosine" : strategy };
}

const modes: Readonly<Record<string, "triangular" | "halved" | "exponential">> = {
  triangular: "triangular",
  triangular2: "halved",
  exp_range: "exponential",
};

function cycles(settings: Arguments, low: number, high: number): Schedule {
  const { step_size_up: halfCycle, mode, gamma: decayRate } = settings;
  return cyclical(low, high, halfCycle, { mode: lookUp("PyTorch", mode, modes), decayRate });
}
