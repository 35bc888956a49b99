import {
  cosineDecay,
  cosineDecayRestarts,
  cyclical,
  exponentialDecay,
  inverseTimeDecay,
  linear,
  oneCycle,
  piecewiseConstant,
  polynomialDecay,
  warmup,
  type OptimizerSpec,
  type Schedule,
} from "@gradstep/core";
import { fromKeras, fromTorch } from "@gradstep/core/interop";

/** A schedule of another library, and the same here. The learning rate is 0.001. */
export interface ScheduleCounterpart {
  readonly library: "keras" | "torch" | "optax";
  /** The call there, with the library's defaults where it has some. */
  readonly there: string;
  readonly here: Schedule;
  /** The schedule that gradstep reads from the library's own configuration; undefined if it reads none. */
  readonly read?: () => Schedule;
  /** Where the two differ. */
  readonly difference?: string;
}

const rate = 0.001;

const ofSpec = ({ hyperparameters }: OptimizerSpec): Schedule =>
  hyperparameters.learningRate as Schedule;

const keras = (name: string, config: Readonly<Record<string, unknown>>) => (): Schedule =>
  ofSpec(
    fromKeras({
      class_name: "SGD",
      config: { learning_rate: { class_name: name, config } },
    }),
  );

const torch = (name: string, settings: Readonly<Record<string, unknown>>) => (): Schedule =>
  ofSpec(fromTorch("SGD", { lr: rate }, { scheduler: { name, ...settings } }));

/** By the names of the schedules here. */
export const scheduleCounterparts: Readonly<Record<string, readonly ScheduleCounterpart[]>> = {
  linear: [
    {
      library: "torch",
      there: "LinearLR(optimizer, start_factor=1, end_factor=0.1, total_iters=1000)",
      here: linear(rate, 0.0001, 1000),
      read: torch("LinearLR", { start_factor: 1, end_factor: 0.1, total_iters: 1000 }),
    },
    {
      library: "optax",
      there: "optax.linear_schedule(0.001, 0.0001, transition_steps=1000)",
      here: linear(rate, 0.0001, 1000),
    },
  ],
  "cosine-decay": [
    {
      library: "keras",
      there: "CosineDecay(0.001, decay_steps=1000, alpha=0)",
      here: cosineDecay(rate, 1000, { alpha: 0 }),
      read: keras("CosineDecay", { initial_learning_rate: rate, decay_steps: 1000, alpha: 0 }),
    },
    {
      library: "torch",
      there: "CosineAnnealingLR(optimizer, T_max=1000, eta_min=0)",
      here: cosineDecay(rate, 1000, { alpha: 0 }),
      difference: "After `T_max` steps it rises again; `fromTorch` does the same.",
    },
    {
      library: "optax",
      there: "optax.cosine_decay_schedule(0.001, decay_steps=1000, alpha=0)",
      here: cosineDecay(rate, 1000, { alpha: 0 }),
    },
    {
      library: "optax",
      there: "optax.warmup_cosine_decay_schedule(0, 0.001, warmup_steps=100, decay_steps=1000)",
      here: cosineDecay(0, 900, { warmupTarget: rate, warmupSteps: 100 }),
      difference: "Its `decay_steps` include those of the warm-up.",
    },
  ],
  "cosine-decay-restarts": [
    {
      library: "keras",
      there: "CosineDecayRestarts(0.001, first_decay_steps=100, t_mul=2, m_mul=1, alpha=0)",
      here: cosineDecayRestarts(rate, 100, { periodFactor: 2, heightFactor: 1, alpha: 0 }),
      read: keras("CosineDecayRestarts", {
        initial_learning_rate: rate,
        first_decay_steps: 100,
        t_mul: 2,
        m_mul: 1,
        alpha: 0,
      }),
    },
    {
      library: "torch",
      there: "CosineAnnealingWarmRestarts(optimizer, T_0=100, T_mult=1, eta_min=0)",
      here: cosineDecayRestarts(rate, 100, { periodFactor: 1, alpha: 0 }),
      read: torch("CosineAnnealingWarmRestarts", { T_0: 100, T_mult: 1, eta_min: 0 }),
    },
  ],
  "exponential-decay": [
    {
      library: "keras",
      there: "ExponentialDecay(0.001, decay_steps=200, decay_rate=0.5, staircase=False)",
      here: exponentialDecay(rate, 200, 0.5),
      read: keras("ExponentialDecay", {
        initial_learning_rate: rate,
        decay_steps: 200,
        decay_rate: 0.5,
        staircase: false,
      }),
    },
    {
      library: "torch",
      there: "StepLR(optimizer, step_size=200, gamma=0.1)",
      here: exponentialDecay(rate, 200, 0.1, { staircase: true }),
      read: torch("StepLR", { step_size: 200, gamma: 0.1 }),
    },
    {
      library: "torch",
      there: "ExponentialLR(optimizer, gamma=0.99)",
      here: exponentialDecay(rate, 1, 0.99),
      read: torch("ExponentialLR", { gamma: 0.99 }),
    },
    {
      library: "optax",
      there:
        "optax.exponential_decay(0.001, transition_steps=200, decay_rate=0.5, staircase=False)",
      here: exponentialDecay(rate, 200, 0.5),
    },
  ],
  "inverse-time-decay": [
    {
      library: "keras",
      there: "InverseTimeDecay(0.001, decay_steps=100, decay_rate=1, staircase=False)",
      here: inverseTimeDecay(rate, 100, 1),
      read: keras("InverseTimeDecay", {
        initial_learning_rate: rate,
        decay_steps: 100,
        decay_rate: 1,
        staircase: false,
      }),
    },
  ],
  "polynomial-decay": [
    {
      library: "keras",
      there:
        "PolynomialDecay(0.001, decay_steps=1000, end_learning_rate=0.0001, power=1, cycle=False)",
      here: polynomialDecay(rate, 1000, { end: 0.0001, power: 1 }),
      read: keras("PolynomialDecay", {
        initial_learning_rate: rate,
        decay_steps: 1000,
        end_learning_rate: 0.0001,
        power: 1,
        cycle: false,
      }),
    },
    {
      library: "torch",
      there: "PolynomialLR(optimizer, total_iters=1000, power=1)",
      here: polynomialDecay(rate, 1000, { end: 0, power: 1 }),
      read: torch("PolynomialLR", { total_iters: 1000, power: 1 }),
    },
    {
      library: "optax",
      there: "optax.polynomial_schedule(0.001, 0.0001, power=2, transition_steps=1000)",
      here: polynomialDecay(rate, 1000, { end: 0.0001, power: 2 }),
    },
  ],
  "piecewise-constant": [
    {
      library: "keras",
      there: "PiecewiseConstantDecay(boundaries=[500], values=[0.001, 0.0001])",
      here: piecewiseConstant([500], [rate, 0.0001]),
      read: keras("PiecewiseConstantDecay", { boundaries: [500], values: [rate, 0.0001] }),
    },
    {
      library: "torch",
      there: "MultiStepLR(optimizer, milestones=[500], gamma=0.1)",
      here: piecewiseConstant([499], [rate, 0.0001]),
      read: torch("MultiStepLR", { milestones: [500], gamma: 0.1 }),
      difference: "The value changes one step earlier than with Keras's boundary.",
    },
    {
      library: "optax",
      there: "optax.piecewise_constant_schedule(0.001, {500: 0.1})",
      here: piecewiseConstant([499], [rate, 0.0001]),
      difference: "The value changes one step earlier than with Keras's boundary.",
    },
  ],
  warmup: [
    {
      library: "torch",
      there: "LinearLR(optimizer, start_factor=0.1, end_factor=1, total_iters=100)",
      here: warmup(100, rate, 0.0001),
      read: torch("LinearLR", { start_factor: 0.1, end_factor: 1, total_iters: 100 }),
    },
    {
      library: "optax",
      there: "optax.warmup_constant_schedule(0, 0.001, warmup_steps=100)",
      here: warmup(100, rate),
    },
  ],
  "warmup-stable-decay": [],
  "one-cycle": [
    {
      library: "torch",
      there:
        "OneCycleLR(optimizer, max_lr=0.001, total_steps=1000, pct_start=0.3, div_factor=25, final_div_factor=1e4)",
      here: oneCycle(rate, 1000, { warmupFraction: 0.3, divFactor: 25, finalDivFactor: 1e4 }),
      read: torch("OneCycleLR", { max_lr: rate, total_steps: 1000, cycle_momentum: false }),
    },
    {
      library: "optax",
      there: "optax.cosine_onecycle_schedule(transition_steps=1000, peak_value=0.001)",
      here: oneCycle(rate, 1000),
      difference: "Its two phases end one step later.",
    },
  ],
  cyclical: [
    {
      library: "torch",
      there:
        'CyclicLR(optimizer, base_lr=0.0001, max_lr=0.001, step_size_up=100, mode="triangular")',
      here: cyclical(0.0001, rate, 100, { mode: "triangular" }),
      read: torch("CyclicLR", {
        base_lr: 0.0001,
        max_lr: rate,
        step_size_up: 100,
        cycle_momentum: false,
      }),
    },
  ],
};
