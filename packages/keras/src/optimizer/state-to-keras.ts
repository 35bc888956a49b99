import {
  GradstepError,
  type OptimizerSpec,
  type OptimizerState,
  type Values,
} from "@gradstep/core";
import { sizeOfShape, type Hdf5Dataset } from "../hdf5/hdf5-tree.js";
import { shapeOf, type OptimizerVariable } from "./optimizer-variables.js";

/**
 * Makes the array of one of Keras's optimizer variables.
 * @throws {GradstepError} `STATE_MISMATCH`
 */
export function datasetOf(
  variable: OptimizerVariable,
  spec: OptimizerSpec,
  state: OptimizerState,
  isDouble: boolean,
): Hdf5Dataset {
  const shape = shapeOf(variable);
  const { accumulate = 1, lossScale: scaling } = spec.control ?? {};
  const { control } = state;
  const make = (values: ArrayLike<number>): Hdf5Dataset => {
    if (values.length !== sizeOfShape(shape))
      mismatch(`${variable.kind} has ${values.length} values; expected ${sizeOfShape(shape)}`);
    return {
      kind: "dataset",
      dtype: isDouble ? "<f8" : "<f4",
      shape,
      values: isDouble ? Float64Array.from(values) : Float32Array.from(values),
    };
  };
  switch (variable.kind) {
    case "iterations":
      return integer(state.iterations * accumulate + (control?.microSteps ?? 0));
    case "growthSteps":
      return integer(control?.lossScale?.goodSteps ?? 0);
    case "unused":
      return integer(variable.value);
    case "learningRate":
      return make([Number(state.hyperparameters.learningRate)]);
    case "lossScale":
      return { ...make([control?.lossScale?.scale ?? 1]), ...single(control?.lossScale?.scale) };
    case "product":
      return make([state.groups[0].persistentScalars.product ?? 1]);
    case "slot": {
      const values = slotOf(state, variable.parameter.name, variable.slot);
      return make(variable.factor === 1 ? values : values.map((value) => -value));
    }
    case "accumulator": {
      const sum = control?.accumulated[variable.parameter.name];
      const divisor = control?.lossScale?.scale ?? (typeof scaling === "number" ? scaling : 1);
      return make(sum?.map((value) => value / divisor) ?? new Float64Array(sizeOfShape(shape)));
    }
    case "estimate":
      return make(adafactorEstimate(state, variable.parameter));
  }
}

function integer(value: number): Hdf5Dataset {
  const isLarge = value >= 2 ** 31;
  return {
    kind: "dataset",
    dtype: isLarge ? "<i8" : "<i4",
    shape: [],
    values: isLarge ? BigInt64Array.of(BigInt(value)) : Int32Array.of(value),
  };
}

/** The loss scale is f32 in any precision. */
function single(scale = 1): Pick<Hdf5Dataset, "dtype" | "values"> {
  return { dtype: "<f4", values: Float32Array.of(scale) };
}

/** r·c / mean(r), per matrix. */
function adafactorEstimate(
  state: OptimizerState,
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
): Float64Array {
  const [rows, columns] = shape.slice(-2);
  const r = slotOf(state, name, "r");
  const c = slotOf(state, name, "c");
  const estimate = new Float64Array(sizeOfShape(shape));
  for (let matrix = 0; matrix * rows < r.length; matrix += 1) {
    let mean = 0;
    for (let row = 0; row < rows; row += 1) mean += r[matrix * rows + row] / rows;
    for (let row = 0; row < rows; row += 1)
      for (let column = 0; column < columns; column += 1)
        estimate[(matrix * rows + row) * columns + column] =
          mean === 0 ? 0 : (r[matrix * rows + row] / mean) * c[matrix * columns + column];
  }
  return estimate;
}

function slotOf(state: OptimizerState, parameter: string, slot: string): Values {
  const values = state.slots[parameter]?.[slot];
  return values ?? mismatch(`the state has no slot ${slot} of ${parameter}`);
}

/** @throws {GradstepError} `STATE_MISMATCH` */
function mismatch(what: string): never {
  throw new GradstepError(`The state cannot be written: ${what}.`, { code: "STATE_MISMATCH" });
}
