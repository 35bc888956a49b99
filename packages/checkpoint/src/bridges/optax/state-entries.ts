import type { OptimizerSpec, OptimizerState, Schedule, Values } from "@gradstep/core";
import type { SafetensorsEntry } from "../../safetensors/index.js";
import { isSchedule, type OptaxOptimizer, type StateArray } from "./state-arrays.js";
import type { CountContent, FloatContent } from "./state-structures.js";

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
  switch (content.holds) {
    case "count":
      return {
        dtype: "I32",
        shape: [],
        data: Int32Array.of(countsOf(state)[content.of] + content.first),
      };
    case "isLastFinite": {
      const isFinite = countsOf(state).consecutiveSkips === 0;
      return { dtype: "BOOL", shape: [], data: Uint8Array.of(isFinite ? 1 : 0) };
    }
    case "meanGradient":
      // MultiSteps accumulates in f32, unless it is made with another type.
      return floatEntry(floatsOf(content, array, source), shape, false);
    case "slot":
    case "sharedSlot":
    case "persistentScalar":
    case "constants":
    case "hyperparameter":
      return floatEntry(floatsOf(content, array, source), shape, isDouble);
  }
}

function countsOf({ iterations, control }: OptimizerState): Record<CountContent["of"], number> {
  const { microSteps = 0, skippedSteps = 0, consecutiveSkips = 0 } = control ?? {};
  const allSteps = iterations + skippedSteps;
  return { steps: iterations, allSteps, microSteps, skippedSteps, consecutiveSkips };
}

function floatsOf(
  content: FloatContent,
  { parameter, shape }: StateArray,
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
  }
}

function zeros(shape: readonly number[]): Values {
  return new Float32Array(shape.reduce((product, length) => product * length, 1));
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
