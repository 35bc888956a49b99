import { GradstepError, hasNames, show, type Values } from "@gradstep/core";
import { isArray, isInstance, propertyOf } from "@gradstep/core/internal";
import { Optimizer, Tensor, tensor, tidy, Variable, type DataType } from "@tensorflow/tfjs-core";
import { stableNames } from "./state/stable-names.js";

/** A variable as a parameter of a checkpoint: what `checkpointer` of `@gradstep/checkpoint` reads and writes. */
export interface TfParameter {
  readonly shape: readonly number[];
  /** Whether the variable was disposed of. */
  readonly freed: boolean;
  /**
   * Copies the values as they are when this is called: a Float32Array, or a Float64Array of the integers of an int32
   * variable.
   * @throws {GradstepError} `DISPOSED`
   */
  read(): Promise<Values>;
  /**
   * Replaces the values, which are copied. Constraints of layers are not applied.
   * @throws {GradstepError} `LENGTH_MISMATCH`, `INVALID_PARAMETER` (values that the variable's dtype does not have), `DISPOSED`
   */
  write(values: ArrayLike<number>): void;
}

/** The part of `tf.LayersModel` and of its weights that is used. */
interface ModelLike {
  readonly weights: readonly LayerVariableLike[];
}
interface LayerVariableLike {
  read(): unknown;
}

/**
 * The variables of a model as parameters of a checkpoint, non-trainable ones such as the averages of batch normalization
 * included: `checkpointer(optimizer, tfParameters(model), { store })`.
 *
 * Names are the same in each process, whatever TF.js made before: layers without a name count from 1
 * (`dense_Dense1/kernel`), and the number that makes a name unique (`d/bias_1`) is left out.
 *
 * @param source a `tf.LayersModel` that is built, a list of variables, or variables by names, which are then kept.
 * @throws {GradstepError} `INVALID_PARAMETER` (a model that is not built, what is not a variable, a dtype other than
 * float32, int32 and bool)
 */
export function tfParameters(
  source: ModelLike | readonly Variable[] | Readonly<Record<string, Variable>>,
): Record<string, TfParameter> {
  const isTable = !isArray(source) && !isModel(source);
  const variables = isTable ? Object.values(source as object) : listOf(source);
  variables.forEach(checkVariable);
  const distinct = [...new Set(variables as Variable[])];
  if (isTable) {
    const entries = Object.entries(source);
    return Object.fromEntries(entries.map(([name, one]) => [name, parameterOf(name, one)]));
  }
  const names = stableNames(distinct.map(({ name }) => name));
  return Object.fromEntries(names.map((name, i) => [name, parameterOf(name, distinct[i])]));
}

function isModel(source: unknown): source is ModelLike {
  if (!hasNames(source) || isInstance(source, Optimizer as never))
    throw new GradstepError(
      `Got ${show(source)}; expected a tf.LayersModel, a list of variables, or variables by name.`,
      { code: "INVALID_PARAMETER" },
    );
  return isArray(propertyOf(source, "weights"));
}

function listOf(source: unknown): readonly unknown[] {
  if (isArray(source)) return source;
  const { weights } = source as ModelLike;
  if (weights.length === 0)
    throw new GradstepError(
      "The model has no weights: it is not built. Give its first layer an inputShape, or call model.build() before.",
      { code: "INVALID_PARAMETER" },
    );
  return weights.map((weight) => weight.read());
}

const dtypes: readonly DataType[] = ["float32", "int32", "bool"];

function checkVariable(variable: unknown): asserts variable is Variable {
  if (!isInstance(variable, Tensor) || !(variable instanceof Variable))
    throw new GradstepError(`Got ${show(variable)} among the parameters; expected a tf.Variable.`, {
      code: "INVALID_PARAMETER",
    });
  if (!dtypes.includes(variable.dtype))
    throw new GradstepError(
      `Variable "${variable.name}" is ${variable.dtype}; expected ${dtypes.join(", ")}.`,
      { code: "INVALID_PARAMETER" },
    );
  checkLive(variable);
}

function parameterOf(name: string, variable: Variable): TfParameter {
  const { dtype, size } = variable;
  return {
    shape: Object.freeze([...variable.shape]),
    get freed() {
      return variable.isDisposed;
    },
    async read() {
      checkLive(variable);
      // TF.js copies, or shares an array that nothing changes from now on.
      const values: ArrayLike<number> = await variable.data();
      return dtype === "int32" ? Float64Array.from(values) : Float32Array.from(values);
    },
    write(values) {
      checkLive(variable);
      if (!isNumbers(values))
        throw new GradstepError(
          `Got ${show(values)} for "${name}"; expected an array of numbers.`,
          {
            code: "INVALID_PARAMETER",
          },
        );
      if (values.length !== size)
        throw new GradstepError(
          `Got ${values.length} values for "${name}"; expected ${size}, because its shape is [${variable.shape.join(", ")}].`,
          { code: "LENGTH_MISMATCH" },
        );
      const copy = typedValues(name, dtype, values);
      tidy(() => {
        variable.assign(tensor(copy, variable.shape, dtype));
      });
    },
  };
}

/** Whether it has a length, and begins with a number. */
function isNumbers(values: unknown): values is ArrayLike<number> {
  const length = propertyOf(values, "length");
  return (
    typeof length === "number" && (length === 0 || typeof propertyOf(values, "0") === "number")
  );
}

/** @throws {GradstepError} `INVALID_PARAMETER` */
function typedValues(
  name: string,
  dtype: DataType,
  values: ArrayLike<number>,
): Float32Array | Int32Array | Uint8Array {
  if (dtype === "float32") return Float32Array.from(values);
  const copy = dtype === "int32" ? Int32Array.from(values) : Uint8Array.from(values);
  const isBool = dtype === "bool";
  const index = copy.findIndex((value, i) => value !== values[i] || (isBool && value > 1));
  if (index < 0) return copy;
  throw new GradstepError(
    `Got ${values[index]} for "${name}" at ${index}; expected ${isBool ? "0 or 1" : "an integer of 32 bits"}, because the variable is ${dtype}.`,
    { code: "INVALID_PARAMETER" },
  );
}

function checkLive({ name, isDisposed }: Variable): void {
  if (!isDisposed) return;
  throw new GradstepError(`Variable "${name}" was disposed of; expected a live one.`, {
    code: "DISPOSED",
  });
}
