import { GradstepError, type OptimizerSpec, type OptimizerState } from "@gradstep/core";
import { fromKeras, hasEffect, kerasClassOf } from "@gradstep/core/interop";

const clips: readonly string[] = ["clip-by-norm", "clip-by-global-norm", "clip-by-value"];
const constraints: readonly string[] = ["max-norm", "non-negative-weights", "unit-norm"];

/**
 * Checks that Keras can go on from a state as this library would.
 * @throws {GradstepError} `UNSUPPORTED`, naming each setting without a counterpart and what to do
 */
export function checkIsExpressible(spec: OptimizerSpec, state: OptimizerState): void {
  const misfits = [
    ...ruleMisfits(spec),
    ...groupMisfits(spec, state),
    ...controlMisfits(spec, state),
  ];
  if (misfits.length === 0) return;
  throw new GradstepError(
    `Keras cannot continue this optimizer:\n${misfits.map((one) => `- ${one}`).join("\n")}`,
    { code: "UNSUPPORTED" },
  );
}

/** The rule and its stages, without those that Keras has as constraints of variables. */
export function withoutConstraints({ rule }: OptimizerSpec): readonly string[] {
  return rule.name.split("+").filter((one) => !constraints.includes(one));
}

/** The name of the rule in a chain; undefined if the stages are not those of Keras. */
export function mainRule(spec: OptimizerSpec): string | undefined {
  const parts = withoutConstraints(spec);
  const [main, ...after] = parts.filter((one) => !clips.includes(one));
  const isInOrder = parts.indexOf(main) <= 1 && (after.length === 0 || after.join() === "ema");
  return isInOrder ? main : undefined;
}

function ruleMisfits(spec: OptimizerSpec): string[] {
  const main = mainRule(spec);
  const counterpart = main === undefined ? undefined : kerasClassOf(main);
  if (counterpart === undefined)
    return [
      `${spec.rule.name}: no optimizer of Keras computes it. Use a rule that fromKeras returns, with clipping before it and ema after it.`,
    ];
  const { className, settings } = counterpart;
  const keras = fromKeras({ class_name: className, config: {} });
  const settable = new Set([
    ...settings,
    // Keras expresses one by the other.
    ...(main === "muon" ? ["adjust"] : []),
  ]);
  const differing = (kind: "options" | "hyperparameters"): string[] =>
    Object.entries(keras[kind]).flatMap(([name, expected]) => {
      const got = spec[kind][name];
      if (settable.has(name) || got === expected) return [];
      if (!hasEffect(name, spec.options, [spec.hyperparameters])) return [];
      return [
        `${name} is ${JSON.stringify(got)}; Keras's ${className} has ${JSON.stringify(expected)}. Make the optimizer with fromKeras({ class_name: "${className}", … }).`,
      ];
    });
  const scheduled = Object.entries(spec.hyperparameters).flatMap(([name, value]) =>
    typeof value === "number" || name === "learningRate"
      ? []
      : [`${name} follows a schedule; in Keras only the learning rate can. Set it to a number.`],
  );
  return [...differing("options"), ...differing("hyperparameters"), ...scheduled];
}

/** Options of a group that Keras can do without, or that are checked in the state. */
const unproblematic: Readonly<Record<string, (value: unknown) => boolean>> = {
  match: () => true,
  frozen: () => true,
  every: (value) => value === 1,
  sparse: (value) => value === "dense",
  rowSteps: (value) => value === false,
  weightDecay: (value) => value === 0,
};

/** The rule that Keras's Muon has for embeddings, vectors and the like, with the same stages. */
function nameWithAdamw({ rule }: OptimizerSpec): string {
  return rule.name.replace(/\bmuon\b/, "adamw");
}

function groupMisfits(spec: OptimizerSpec, state: OptimizerState): string[] {
  const ofSpec = spec.groups.flatMap((options, i) => {
    const group = `group ${i + 1}`;
    const { rule } = options;
    if (rule !== undefined)
      return mainRule(spec) === "muon" && rule.rule.name === nameWithAdamw(spec)
        ? []
        : [`${group} has the rule ${rule.rule.name}; Keras has one per optimizer. Use one rule.`];
    return Object.entries(options).flatMap(([name, value]) =>
      value === undefined || unproblematic[name]?.(value) === true
        ? []
        : [
            `${group} has a ${name} of its own; Keras can only exclude variables from weight decay. Use the same ${name} for all.`,
          ],
    );
  });
  const ofState = state.groups.flatMap(({ frozen = false, iterations, parameters }, i) => [
    ...(frozen
      ? [`group ${i} (${parameters.join(", ")}) is frozen. Set layer.trainable in Keras instead.`]
      : []),
    ...(iterations !== undefined && iterations !== state.iterations && parameters.length > 0
      ? [
          `group ${i} has taken ${iterations} steps and the optimizer ${state.iterations}; Keras counts them together.`,
        ]
      : []),
  ]);
  const rows = Object.keys(state.rowSteps ?? {}).map(
    (name) => `the rows of ${name} count their own steps; Keras counts them together.`,
  );
  const counted = Object.entries(state.rowCounts ?? {}).map(
    ([name, count]) =>
      `${name} has ${count} of ${state.shapes[name][0]} rows; Keras trains all. Remap its rows with a number as count first.`,
  );
  return [...ofSpec, ...ofState, ...rows, ...counted];
}

function controlMisfits({ control = {}, hyperparameters }: OptimizerSpec, state: OptimizerState) {
  const { accumulate = 1, schedulesCount = "steps", lossScale, nonFinite } = control;
  const misfits: string[] = [];
  if (
    accumulate > 1 &&
    schedulesCount === "steps" &&
    typeof hyperparameters.learningRate !== "number"
  )
    misfits.push('schedules count steps; Keras\'s count calls. Use schedulesCount: "calls".');
  if (accumulate > 1 && (typeof lossScale === "object" || lossScale === "dynamic"))
    misfits.push(
      "accumulate is above 1 and the loss scale dynamic: Keras leaves out single calls, not whole steps. Use one of them.",
    );
  if (typeof lossScale === "object") {
    const { growthFactor = 2, backoffFactor = 0.5 } = lossScale;
    if (growthFactor !== 2 || backoffFactor !== 0.5)
      misfits.push(
        `the loss scale grows by ${growthFactor} and shrinks by ${backoffFactor}; Keras's by 2 and 0.5.`,
      );
  } else if (lossScale !== "dynamic" && nonFinite !== "propagate") {
    if (typeof lossScale === "number" || nonFinite !== undefined)
      misfits.push(
        `steps with gradients that are not finite are left out; Keras takes them. Use nonFinite: "propagate", or a dynamic loss scale.`,
      );
  }
  if (Object.keys(state.control?.rows ?? {}).length > 0)
    misfits.push("gradients of some rows are accumulated. Save after a step.");
  return misfits;
}
