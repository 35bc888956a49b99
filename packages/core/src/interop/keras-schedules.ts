import { piecewiseConstant } from "../schedules/compositions.js";
import { cosineDecay, cosineDecayRestarts } from "../schedules/cosine-decays.js";
import { exponentialDecay, inverseTimeDecay, polynomialDecay } from "../schedules/decays.js";
import type { Schedule } from "../schedules/schedule.js";
import { checkIsObject, ignored, lookUp, translate, type OptionMap } from "./option-map.js";

const named = { name: ignored } as const;
const steps = { decay_steps: { to: "decaySteps" } } as const;
const initial = { initial_learning_rate: { to: "initial" } } as const;
const staircase = {
  ...named,
  ...initial,
  ...steps,
  decay_rate: { to: "decayRate" },
  staircase: { to: "staircase" },
} as const;

/** Options of a Keras schedule under the names of ours. */
type Options = Readonly<Record<string, never>>;

interface KerasSchedule {
  readonly options: OptionMap;
  readonly make: (options: Options) => Schedule;
}

/** The schedules of Keras 3. */
const classes: Readonly<Record<string, KerasSchedule>> = {
  ExponentialDecay: {
    options: staircase,
    make: ({ initial: first, decaySteps, decayRate, ...rest }) =>
      exponentialDecay(first, decaySteps, decayRate, rest),
  },
  InverseTimeDecay: {
    options: staircase,
    make: ({ initial: first, decaySteps, decayRate, ...rest }) =>
      inverseTimeDecay(first, decaySteps, decayRate, rest),
  },
  PiecewiseConstantDecay: {
    options: { ...named, boundaries: { to: "boundaries" }, values: { to: "values" } },
    make: ({ boundaries, values }) => piecewiseConstant(boundaries, values),
  },
  PolynomialDecay: {
    options: {
      ...named,
      ...initial,
      ...steps,
      end_learning_rate: { to: "end" },
      power: { to: "power" },
      cycle: { to: "cycle" },
    },
    make: ({ initial: first, decaySteps, ...rest }) => polynomialDecay(first, decaySteps, rest),
  },
  CosineDecay: {
    options: {
      ...named,
      ...initial,
      ...steps,
      alpha: { to: "alpha" },
      warmup_target: { to: "warmupTarget" },
      warmup_steps: { to: "warmupSteps" },
    },
    make: ({ initial: first, decaySteps, ...rest }) => cosineDecay(first, decaySteps, rest),
  },
  CosineDecayRestarts: {
    options: {
      ...named,
      ...initial,
      first_decay_steps: { to: "firstDecaySteps" },
      t_mul: { to: "periodFactor" },
      m_mul: { to: "heightFactor" },
      alpha: { to: "alpha" },
    },
    make: ({ initial: first, firstDecaySteps, ...rest }) =>
      cosineDecayRestarts(first, firstDecaySteps, rest),
  },
};

/**
 * A schedule, from what Keras prints: `{ class_name: "CosineDecay", config: { … } }`.
 * @throws {GradstepError} `UNSUPPORTED`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function scheduleFromKeras(schedule: object): Schedule {
  const { class_name: className, config } = schedule as Record<string, unknown>;
  const { options, make } = lookUp("Keras", className, classes);
  const owner = `Keras's ${String(className)}`;
  checkIsObject(owner, config);
  const given = Object.entries(translate(owner, config, options));
  return make(Object.fromEntries(given.filter(([, value]) => value !== null)) as Options);
}
