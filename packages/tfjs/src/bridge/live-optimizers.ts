import { GradstepError, show } from "@gradstep/core";
import { isInstance, propertyOf } from "@gradstep/core/internal";
import { toTfjs } from "@gradstep/core/interop";
import {
  AdadeltaOptimizer,
  AdagradOptimizer,
  AdamaxOptimizer,
  AdamOptimizer,
  dispose,
  MomentumOptimizer,
  pow,
  RMSPropOptimizer,
  scalar,
  SGDOptimizer,
  tidy,
  type Optimizer,
  type Scalar,
  type serialization,
  type Variable,
} from "@tensorflow/tfjs-core";
import { GradstepOptimizer, implementation } from "../gradstep-optimizer.js";
import { readWeights } from "../state/read-weights.js";
import type { NamedTensor } from "../step/gradients.js";
import { kinds, type TfjsName } from "../tfjs-optimizers/kinds.js";
import { continueFrom } from "./saved-optimizer.js";
import { tfjsWeights } from "./tfjs-weights.js";

const classes: Readonly<Record<TfjsName, unknown>> = {
  sgd: SGDOptimizer,
  momentum: MomentumOptimizer,
  adadelta: AdadeltaOptimizer,
  adagrad: AdagradOptimizer,
  rmsprop: RMSPropOptimizer,
  adam: AdamOptimizer,
  adamax: AdamaxOptimizer,
};

/** The members of TF.js's Adamax that hold its state, which has neither `getWeights` nor `setWeights`. */
interface AdamaxState {
  accumulatedFirstMoment: SlotVariable[];
  accumulatedWeightedInfNorm: SlotVariable[];
  readonly iteration: Variable;
  readonly accBeta1: Variable;
  readonly beta1: number;
  iterations_: number;
}

interface SlotVariable {
  readonly originalName: string;
  readonly variable: Variable;
}

/** Constants of TF.js's SGD and momentum, which later changes of the properties do not reach. */
interface SgdState {
  /** −learningRate. */
  readonly c?: Scalar;
  readonly m?: Scalar;
}

/**
 * An optimizer that continues where one of TF.js's own stopped, Adamax included: with its numbers, its properties and its
 * form in saved models. TF.js's own stays as it is; dispose of it yourself.
 *
 * @throws {GradstepError} `UNSUPPORTED` (what is no optimizer of TF.js), `INVALID_FILE` (weights that do not belong together,
 * NaN), `INVALID_HYPERPARAMETER`
 */
export async function fromTfjsOptimizer(optimizer: Optimizer): Promise<GradstepOptimizer> {
  if (isInstance(optimizer, GradstepOptimizer))
    throw new GradstepError(
      "Got an optimizer of gradstep; expected one of TF.js's own. Use optimizer.state() and restore().",
      { code: "UNSUPPORTED" },
    );
  // Not `instanceof`: it may be of another copy of TF.js.
  if (typeof propertyOf(optimizer, "getClassName") !== "function")
    throw new GradstepError(
      `Got ${show(optimizer)}; expected an optimizer of TF.js, such as model.optimizer.`,
      { code: "UNSUPPORTED" },
    );
  const className = optimizer.getClassName();
  const named =
    className === kinds.adamax.className
      ? await adamaxWeights(optimizer)
      : await optimizer.getWeights();
  try {
    const weights = await readWeights(named);
    return continueFrom({ className, config: effectiveConfig(optimizer), weights });
  } finally {
    // The other weights are the optimizer's own variables.
    named[0]?.tensor.dispose();
  }
}

/**
 * TF.js's own optimizer that continues where an optimizer of gradstep stopped. TF.js assigns moments by position: the next
 * steps must have the variables in the order of the first one, and all of them.
 *
 * @throws {GradstepError} `UNSUPPORTED` (what TF.js cannot do, all of it; another object), `DISPOSED`, `SWAPPED`
 */
export async function toTfjsOptimizer(optimizer: GradstepOptimizer): Promise<Optimizer> {
  if (!isInstance(optimizer, GradstepOptimizer))
    throw new GradstepError(`Got ${show(optimizer)}; expected an optimizer of @gradstep/tfjs.`, {
      code: "UNSUPPORTED",
    });
  const state = await optimizer.state();
  const target = toTfjs(optimizer[implementation].core.config());
  const weights = tfjsWeights(state, target);
  const name = target.name as TfjsName;
  const make = classes[name] as new (...settings: unknown[]) => Optimizer;
  const made = new make(...kinds[name].parameters.map((key) => target.options[key]));
  try {
    if (name === "adamax") setAdamaxWeights(made, state.iterations, weights.slice(1));
    else await made.setWeights(weights);
  } catch (error) {
    made.dispose();
    throw error;
  } finally {
    dispose(weights.map(({ tensor }) => tensor));
  }
  return made;
}

function effectiveConfig(optimizer: Optimizer): serialization.ConfigDict {
  const config = optimizer.getConfig() as Record<string, number>;
  const { c, m } = optimizer as unknown as SgdState;
  const effective = (key: string, constant: Scalar | undefined, sign: number): object => {
    if (constant === undefined) return {};
    const value = sign * constant.dataSync()[0];
    return Math.fround(config[key]) === value ? {} : { [key]: value };
  };
  return {
    ...config,
    ...effective("learningRate", c, -1),
    ...("momentum" in config && m !== undefined ? effective("momentum", m, 1) : {}),
  };
}

async function adamaxWeights(optimizer: Optimizer): Promise<NamedTensor[]> {
  const state = optimizer as unknown as AdamaxState;
  return [
    { name: "iter", tensor: scalar(optimizer.iterations, "int32") },
    ...[...state.accumulatedFirstMoment, ...state.accumulatedWeightedInfNorm].map(
      ({ originalName, variable }) => ({ name: originalName, tensor: variable }),
    ),
  ];
}

function setAdamaxWeights(
  optimizer: Optimizer,
  iterations: number,
  weights: readonly NamedTensor[],
): void {
  const state = optimizer as unknown as AdamaxState;
  const variables = weights.map(({ name, tensor }) => ({
    originalName: name,
    variable: tensor.variable(false),
  }));
  tidy(() => {
    state.iteration.assign(scalar(iterations));
    state.accBeta1.assign(pow(state.beta1, iterations + 1));
  });
  state.iterations_ = iterations;
  state.accumulatedFirstMoment = variables.slice(0, variables.length / 2);
  state.accumulatedWeightedInfNorm = variables.slice(variables.length / 2);
}
