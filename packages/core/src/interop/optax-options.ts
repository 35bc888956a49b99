import type { OptimizerSpec } from "../rule/rule.js";
import { isSchedule } from "../schedules/schedule.js";
import { aliases } from "./optax-aliases.js";
import { injection, optaxParts, optionsOf } from "./optax.js";
import { cores, scales } from "./optax-transformations.js";
import { ignored, type OptionMap } from "./option-map.js";

type Settings = Readonly<Record<string, unknown>>;

/** The largest count that Optax can hold: apply_if_finite always skips. */
const largestCount = 2 ** 31 - 1;

/**
 * The arguments with which the parts of a name do most of what an optimizer does here: the reverse of what `fromOptax`
 * translates. What they cannot do is left out.
 */
export function optaxOptions(name: string, spec: OptimizerSpec): Readonly<Record<string, unknown>> {
  const parts = optaxParts(name);
  const settings = settingsOf(spec);
  const options: Record<string, unknown> = {};
  const at = parts.findIndex((part) => Object.hasOwn(aliases, part) || Object.hasOwn(cores, part));
  const isShared = new Set<string>();
  parts.forEach((part, i) => {
    if (part === injection || Object.hasOwn(scales, part)) return;
    if (part === "multi_steps") options.every_k_schedule = spec.control?.accumulate ?? 1;
    else if (part === "apply_if_finite") options.max_consecutive_errors = largestCount;
    else if (part === "add_decayed_weights" && i < at) options.weight_decay = settings.weightDecay;
    else {
      const own = translated(optionsOf(part), settings);
      for (const key of Object.keys(own))
        if (Object.hasOwn(options, key) && options[key] !== own[key]) isShared.add(key);
      Object.assign(options, own);
    }
  });
  // Parts with different values of one option can only have their defaults.
  for (const key of isShared) delete options[key];
  return { ...options, ...scaleOptions(parts, settings) };
}

function translated(map: OptionMap, settings: Settings): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [key, mapping] of Object.entries(map)) {
    if (mapping === ignored) continue;
    // The only number that an option can have, such as initial_scale of rmsprop.
    const [fixed] = "only" in mapping ? mapping.only : [];
    const value =
      "to" in mapping ? settings[mapping.to] : typeof fixed === "number" ? fixed : undefined;
    if (value !== undefined) options[key] = value;
  }
  return options;
}

/** Hyperparameters and options by the names that `fromOptax` translates to. */
function settingsOf({
  rule,
  hyperparameters,
  options,
  structural = [],
  groups,
}: OptimizerSpec): Settings {
  const all = { ...hyperparameters, ...options } as Record<string, unknown>;
  const { beta1, beta2, muonA, muonB, muonC, decoupledWeightDecay } = all;
  const own = groups[0]?.rule?.hyperparameters ?? {};
  // Without momentum, Optax has None, and no array for it.
  const hasNoMomentum = rule.structural.includes("momentum") && !structural.includes("momentum");
  const isProdigy = rule.name.split("+").includes("prodigy");
  return {
    ...all,
    betas: [beta1, beta2],
    coefficients: [muonA, muonB, muonC],
    epsilonInSqrt: all.epsilonMode !== "outside",
    momentum: hasNoMomentum && all.momentum === 0 ? undefined : all.momentum,
    beta3: isProdigy && all.beta3 === 0 ? undefined : all.beta3,
    rmsRate: all.adjust === "rms" ? all.rmsRate : undefined,
    weightDecay: decoupledWeightDecay ?? all.weightDecay,
    adamBeta1: own.beta1,
    adamBeta2: own.beta2,
    adamEpsilonRoot: own.epsilonRoot,
    adamWeightDecay: own.weightDecay,
    adamLearningRate: own.learningRate,
  };
}

/** The learning rate as the factors of scales: one of them has it, and one the sign. An alias has it by itself. */
function scaleOptions(
  parts: readonly string[],
  { learningRate }: Settings,
): Record<string, unknown> {
  const isCore = parts.some((part) => Object.hasOwn(cores, part));
  const factors = parts.filter((part) => Object.hasOwn(scales, part));
  const numbers = factors.filter((part) => part !== "scale_by_schedule");
  const withSchedule = factors.find((part) => part !== "scale");
  const withRate = !isCore ? undefined : isSchedule(learningRate) ? withSchedule : numbers[0];
  const withSign = numbers.find((part) => part !== withRate || !isSchedule(learningRate));
  const sign = factors.reduce((product, part) => product * scales[part].sign, isCore ? -1 : 1);
  return Object.fromEntries(
    factors.map((part) => {
      const [option] = Object.keys(scales[part].options);
      const rate = part === withRate ? learningRate : 1;
      const isNegative = part === withSign && sign < 0;
      return [option, isNegative ? -(rate as number) : rate];
    }),
  );
}
