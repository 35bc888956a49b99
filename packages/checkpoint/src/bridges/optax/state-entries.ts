import type { OptimizerSpec, OptimizerState, Schedule, Values } from "@gradstep/core";
import type { SafetensorsEntry } from "../../safetensors/index.js";
import { isSchedule, type OptaxOptimizer, type StateArray } from "./state-arrays.js";

/** What the arrays of a state are made of. */
export interface StateSource {
  readonly state: OptimizerState;
  /** What `fromOptax` makes of the optimizer. */
  readonly spec: OptimizerSpec;
  readonly optimizer: OptaxOptimizer;
  readonly isDouble: boolean;
  /** What the slots with velocities are multiplied by. */
  readonly velocityFactor: number;
}

/** An array of Optax's state, made of a state here. */
export function stateEntry(array: StateArray, source: StateSource): SafetensorsEntry {
  const { shape, content } = array;
  const { state, isDouble } = source;
  const { iterations, control } = state;
  const { microSteps = 0, skippedSteps = 0, consecutiveSkips = 0 } = control ?? {};
  switch (content.holds) {
    case "steps":
      return count(iterations + content.first);
    case "allSteps":
      return count(iterations + skippedSteps);
    case "microSteps":
      return count(microSteps);
    case "skippedSteps":
      return count(skippedSteps);
    case "consecutiveSkips":
      return count(consecutiveSkips);
    case "isLastFinite":
      return { dtype: "BOOL", shape: [], data: Uint8Array.of(consecutiveSkips === 0 ? 1 : 0) };
    default:
      return floatEntry(floatsOf(array, source), shape, isDouble);
  }
}

function floatsOf(
  { content, parameter, shape }: StateArray,
  { state, spec, optimizer, velocityFactor }: StateSource,
): Values {
  const { slots, iterations, control, groups } = state;
  switch (content.holds) {
    case "slot": {
      // A momentum of 0 has no slot here.
      const values = slots[parameter!][content.slot] ?? zeros(shape);
      const factor = content.factor * (content.slot === "m" ? velocityFactor : 1);
      return factor === 1 ? values : values.map((value) => value * factor);
    }
    case "sharedSlot":
      return Object.values(slots)[0][content.slot];
    case "persistentScalar":
      return Float64Array.of(groups[0].persistentScalars[content.name]);
    case "constants":
      return Float64Array.from(content.names, (name) => spec.hyperparameters[name] as number);
    case "hyperparameter": {
      const value = optimizer[content.option];
      // Of the last step, as Optax keeps it; the next step computes its own.
      return Float64Array.of(
        isSchedule(value)
          ? (value as Schedule).valueAt(Math.max(iterations - 1, 0))
          : (value as number),
      );
    }
    case "meanGradient": {
      const { microSteps = 0, accumulated = {} } = control ?? {};
      const sum = microSteps === 0 ? undefined : accumulated[parameter!];
      return sum === undefined ? zeros(shape) : sum.map((value) => value / microSteps);
    }
    default:
      throw new Error(`${content.holds} is no floating-point number`);
  }
}

function zeros(shape: readonly number[]): Values {
  return new Float32Array(shape.reduce((product, length) => product * length, 1));
}

function count(value: number): SafetensorsEntry {
  return { dtype: "I32", shape: [], data: Int32Array.of(value) };
}

/** An array in the type of the parameters. */
export function floatEntry(
  values: Values,
  shape: readonly number[],
  isDouble: boolean,
): SafetensorsEntry {
  return isDouble
    ? {
        dtype: "F64",
        shape,
        data: values instanceof Float64Array ? values : new Float64Array(values),
      }
    : {
        dtype: "F32",
        shape,
        data: values instanceof Float32Array ? values : new Float32Array(values),
      };
}
