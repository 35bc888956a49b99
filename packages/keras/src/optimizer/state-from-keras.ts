import {
  GradstepError,
  type OptimizerSpec,
  type OptimizerState,
  type StepControlState,
  type Values,
} from "@gradstep/core";
import type { Hdf5Dataset } from "../hdf5/hdf5-tree.js";
import type { OptimizerVariable } from "./optimizer-variables.js";

/**
 * The state of an optimizer from the variables of Keras's.
 * @param initial the state before the first step
 * @param pairs each variable with its array
 * @throws {GradstepError} `INVALID_FILE`
 */
export function stateFromKeras(
  spec: OptimizerSpec,
  initial: OptimizerState,
  pairs: readonly (readonly [OptimizerVariable, Hdf5Dataset])[],
): OptimizerState {
  const { accumulate = 1, lossScale: scaling } = spec.control ?? {};
  const number = (kind: OptimizerVariable["kind"]): number | undefined => {
    const pair = pairs.find(([variable]) => variable.kind === kind);
    return pair && Number(pair[1].values[0]);
  };
  const calls = number("iterations") ?? 0;
  if (!Number.isSafeInteger(calls) || calls < 0) {
    throw new GradstepError(
      `The optimizer has taken ${calls} steps; expected a non-negative integer. The file is damaged.`,
      { code: "INVALID_FILE" },
    );
  }
  const iterations = Math.floor(calls / accumulate);
  const rate = number("learningRate");
  const scale = number("lossScale");
  const slots: Record<string, Record<string, Values>> = Object.fromEntries(
    Object.entries(initial.slots).map(([name, own]) => [name, { ...own }]),
  );
  const accumulated: Record<string, Values> = {};
  for (const [variable, dataset] of pairs) {
    if (variable.kind === "slot") {
      const values = floats(dataset);
      const { parameter, slot, factor } = variable;
      const own = slots[parameter.name];
      own[slot] = factor === 1 ? values : values.map((value) => -value);
      // A vector is one column, whose mean is that of all its averages.
      if (slot === "r" && parameter.shape.length < 2) own.c = new Float64Array([mean(values)]);
    } else if (variable.kind === "accumulator") {
      // Keras adds up gradients after it has divided them by the loss scale.
      const factor = scale ?? (typeof scaling === "number" ? scaling : 1);
      accumulated[variable.parameter.name] = floats(dataset).map((value) => value * factor);
    }
  }
  const microSteps = calls % accumulate;
  const control: StepControlState | undefined = initial.control && {
    ...initial.control,
    microSteps,
    ...(initial.control.lossScale !== undefined &&
      scale !== undefined && { lossScale: { scale, goodSteps: number("growthSteps") ?? 0 } }),
    accumulated: microSteps === 0 ? {} : accumulated,
  };
  const groups = initial.groups.map((group) => ({
    ...group,
    iterations,
    hyperparameters: withRate(group.hyperparameters, initial, rate),
    persistentScalars: scalars(
      group.persistentScalars,
      iterations,
      number("product") ??
        productOfMomenta({ ...initial.hyperparameters, ...group.hyperparameters }, iterations),
      rate,
    ),
  }));
  return {
    ...initial,
    iterations,
    hyperparameters: {
      ...initial.hyperparameters,
      ...(rate !== undefined && { learningRate: rate }),
    },
    groups,
    slots,
    ...(control && { control }),
  };
}

/** Rates of groups change with that of the optimizer. */
function withRate(
  own: OptimizerState["hyperparameters"],
  { hyperparameters }: OptimizerState,
  rate: number | undefined,
): OptimizerState["hyperparameters"] {
  const before = hyperparameters.learningRate;
  const { learningRate } = own;
  if (typeof learningRate !== "number" || typeof before !== "number" || rate === undefined)
    return own;
  return {
    ...own,
    learningRate: before === learningRate ? rate : (learningRate / before) * rate,
  };
}

function scalars(
  initial: Readonly<Record<string, number>>,
  iterations: number,
  product: number,
  rate: number | undefined,
): Record<string, number> {
  return {
    ...initial,
    ...("product" in initial && { product }),
    // Keras gives all steps the same weight in the average.
    ...("weightSum" in initial && {
      weightSum: iterations,
      highestRate: iterations === 0 ? 0 : (rate ?? 0),
    }),
  };
}

/** Nadam's product of momenta, as its rule computes it. A file may lack it. */
function productOfMomenta(
  { beta1, momentumDecay }: OptimizerState["hyperparameters"],
  iterations: number,
): number {
  let product = 1;
  for (let t = 1; t <= iterations && product > 0; t += 1)
    product *= Number(beta1) * (1 - 0.5 * 0.96 ** (t * Number(momentumDecay)));
  return product;
}

function floats({ values }: Hdf5Dataset): Values {
  return values instanceof Float32Array || values instanceof Float64Array
    ? values
    : Float64Array.from(values as ArrayLike<number>, Number);
}

function mean(values: Values): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
