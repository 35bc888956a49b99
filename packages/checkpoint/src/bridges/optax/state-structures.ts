/** A count of Optax's, and what it starts from. `allSteps` are those taken and those skipped. */
export interface CountContent {
  readonly holds: "count";
  readonly of: "steps" | "allSteps" | "skippedSteps" | "consecutiveSkips" | "microSteps";
  readonly first: 0 | 1;
}

/** Floating-point numbers of Optax's. */
export type FloatContent =
  /** A slot of each parameter of a group, or of all. Optax's values are multiplied by the factor. */
  | {
      readonly holds: "slot";
      readonly slot: string;
      readonly factor: 1 | -1;
      readonly group?: number | undefined;
    }
  /** A slot that all parameters share. */
  | { readonly holds: "sharedSlot"; readonly slot: string }
  | { readonly holds: "persistentScalar"; readonly name: string }
  /** Hyperparameters that never change. */
  | { readonly holds: "constants"; readonly names: readonly string[] }
  /** A hyperparameter that `inject_hyperparams` keeps in the state, by its name in Optax. */
  | { readonly holds: "hyperparameter"; readonly option: string }
  /** The mean of the gradients since the last step, of each parameter. */
  | { readonly holds: "meanGradient" };

/** What an array, or an array per parameter, of Optax's state holds. */
export type Content = CountContent | FloatContent | { readonly holds: "isLastFinite" };

/** A state of Optax: fields of a named tuple, or items of a tuple. An item without arrays is empty. */
export type Structure = Content | readonly Structure[] | { readonly [field: string]: Structure };

function count(of: CountContent["of"], first: 0 | 1 = 0): Content {
  return { holds: "count", of, first };
}

const steps = count("steps");
const none: Structure = {};

function slot(name: string, factor: 1 | -1 = 1, group?: number): Content {
  return { holds: "slot", slot: name, factor, group };
}

const adam: Structure = { count: steps, mu: slot("m"), nu: slot("v") };
const adamax: Structure = { count: steps, mu: slot("m"), nu: slot("norm") };
const amsgrad: Structure = { ...adam, nu_max: slot("vMax") };
const lion: Structure = { count: steps, mu: slot("m") };
const squares: Structure = { nu: slot("v") };
const centeredSquares: Structure = { mu: slot("a"), nu: slot("v") };
const sumOfSquares: Structure = { sum_of_squares: slot("a") };

/** What the structure of a state depends on. */
export interface StructureOptions {
  /** Whether this option is a schedule, whose steps Optax counts. */
  readonly isSchedule: (option: string) => boolean;
  /** Whether this option is given, and not None. */
  readonly has: (option: string) => boolean;
  readonly isTrue: (option: string) => boolean;
}

type MakeStructure = (options: StructureOptions) => Structure;

const rate: MakeStructure = ({ isSchedule }) =>
  isSchedule("learning_rate") ? { count: steps } : none;

/** A chain of a transformation with the others of its alias, the learning rate last. */
function chained(...parts: readonly Structure[]): MakeStructure {
  return (options) => [...parts, rate(options)];
}

/** Velocities that hold the learning rate, whose sign is that of the update in Optax. */
const negativeTrace: Structure = { trace: slot("m", -1) };

/** The states of the parts of a chain. Those of stages hold nothing. */
export const structures: Readonly<Record<string, MakeStructure>> = {
  identity: () => none,
  trace: () => ({ trace: slot("m") }),
  scale_by_adam: () => adam,
  scale_by_amsgrad: () => amsgrad,
  scale_by_adamax: () => adamax,
  scale_by_radam: () => adam,
  scale_by_belief: () => adam,
  scale_by_yogi: () => adam,
  scale_by_lion: () => lion,
  scale_by_rms: () => squares,
  scale_by_stddev: () => centeredSquares,
  scale_by_rss: () => sumOfSquares,
  scale_by_schedule: () => ({ count: steps }),
  scale_by_learning_rate: rate,

  sgd: (options) => [options.has("momentum") ? { trace: slot("m") } : none, rate(options)],
  adagrad: chained(sumOfSquares),
  rmsprop: (options) => [
    options.isTrue("centered") ? centeredSquares : squares,
    rate(options),
    options.has("momentum") ? negativeTrace : none,
  ],
  adam: chained(adam),
  nadam: chained(adam),
  amsgrad: chained(amsgrad),
  adamw: chained(adam, none),
  nadamw: chained(adam, none),
  adamax: chained(adamax),
  adamaxw: chained(adamax, none),
  adadelta: chained(none, { e_g: slot("v"), e_x: slot("d") }),
  radam: chained(adam),
  adabelief: chained(adam),
  yogi: chained(adam),
  adan: chained({ m: slot("m"), v: slot("d"), n: slot("v"), g: slot("gBefore"), t: steps }, none),
  adopt: chained(adam),
  ademamix: chained(
    { count: steps, count_m2: steps, m1: slot("m1"), m2: slot("m2"), nu: slot("v") },
    none,
  ),
  lamb: chained(adam, none, none),
  lars: (options) => [none, none, rate(options), negativeTrace],
  prodigy: () => ({
    exp_avg: slot("m"),
    exp_avg_sq: slot("v"),
    grad_sum: slot("s"),
    params0: slot("p0"),
    estim_lr: { holds: "sharedSlot", slot: "d" },
    numerator_weighted: { holds: "sharedSlot", slot: "numerator" },
    count: steps,
  }),
  schedule_free_sgd: () => scheduleFree(none),
  schedule_free_adamw: () => scheduleFree([{ count: steps, nu: slot("v") }]),
  muon: ({ isSchedule }) => ({
    inner_states: {
      muon: {
        inner_state: [
          {
            count: steps,
            mu: slot("m", 1, 0),
            ns_coeffs: { holds: "constants", names: ["muonA", "muonB", "muonC"] },
          },
          none,
          none,
          isSchedule("learning_rate") ? { count: steps } : none,
        ],
      },
      adam: {
        inner_state: [
          { count: steps, mu: slot("m", 1, 1), nu: slot("v", 1, 1) },
          none,
          isSchedule("adam_learning_rate") ? { count: steps } : none,
        ],
      },
    },
  }),
  lion: chained(lion, none),
};

function scheduleFree(base: Structure): Structure {
  return {
    b1: { holds: "constants", names: ["beta1"] },
    weight_sum: { holds: "persistentScalar", name: "weightSum" },
    step_count: count("steps", 1),
    max_lr: { holds: "persistentScalar", name: "highestRate" },
    base_optimizer_state: base,
    z: slot("z"),
  };
}

/** The state of `MultiSteps`. */
export function accumulated(inner: Structure): Structure {
  return {
    mini_step: count("microSteps"),
    gradient_step: count("allSteps"),
    inner_opt_state: inner,
    acc_grads: { holds: "meanGradient" },
  };
}

/** The state of `apply_if_finite`. */
export function skipping(inner: Structure): Structure {
  return {
    notfinite_count: count("consecutiveSkips"),
    last_finite: { holds: "isLastFinite" },
    total_notfinite: count("skippedSteps"),
    inner_state: inner,
  };
}

/** The state of `inject_hyperparams`. @param names the hyperparameters; the scheduled ones count their steps */
export function injected(
  inner: Structure,
  names: readonly string[],
  { isSchedule }: StructureOptions,
): Structure {
  const scheduled = names.filter(isSchedule);
  return {
    count: steps,
    hyperparams: Object.fromEntries(
      names.map((option): [string, Content] => [option, { holds: "hyperparameter", option }]),
    ),
    hyperparams_states: Object.fromEntries(scheduled.map((name) => [name, { count: steps }])),
    inner_state: inner,
  };
}
