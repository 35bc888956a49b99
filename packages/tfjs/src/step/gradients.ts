import { GradstepError, hasNames, show } from "@gradstep/core";
import { isArray, isInstance, propertyOf, isSameShape } from "@gradstep/core/internal";
import { engine, Tensor, type NamedTensorMap, type Variable } from "@tensorflow/tfjs-core";

/** A tensor and its name, as TF.js lists weights and gradients. */
export interface NamedTensor {
  name: string;
  tensor: Tensor;
}

/** A variable and its gradient. */
export interface Pair {
  readonly variable: Variable;
  readonly gradient: Tensor;
}

/**
 * The variables and gradients of a step, checked. Variables without a gradient and empty variables are left out.
 *
 * @throws {GradstepError} `INVALID_GRADIENT`, `UNKNOWN_PARAMETER`, `INVALID_PARAMETER`, `LENGTH_MISMATCH`, `DISPOSED`
 */
export function pairsOf(gradients: NamedTensorMap | NamedTensor[]): Pair[] {
  const named = listOf(gradients);
  const names = new Set<string>();
  const pairs: Pair[] = [];
  for (const one of named) {
    const { name, tensor } = one;
    if (tensor === null || tensor === undefined) continue;
    if (names.has(name)) {
      throw new GradstepError(
        `Got two gradients for variable "${name}"; expected one. Add them up.`,
        { code: "INVALID_GRADIENT" },
      );
    }
    names.add(name);
    const pair = { variable: variableOf(name), gradient: tensor };
    checkPair(pair);
    if (pair.variable.size > 0) pairs.push(pair);
  }
  if (names.size === 0) {
    throw new GradstepError("Got no gradient for any variable; expected at least one.", {
      code: "INVALID_GRADIENT",
    });
  }
  return pairs;
}

/**
 * Gradients as a list; entries may have no tensor.
 * @throws {GradstepError} `INVALID_GRADIENT` for anything that is not of one of the two forms
 */
export function listOf(gradients: NamedTensorMap | NamedTensor[]): NamedTensor[] {
  if (isArray(gradients)) {
    for (const one of gradients) {
      if (typeof propertyOf(one, "name") !== "string" || !("tensor" in (one as object))) {
        throw new GradstepError(
          `Got ${describe(one)} in the list of gradients; expected { name, tensor }, with the name of a variable.`,
          { code: "INVALID_GRADIENT" },
        );
      }
    }
    return gradients;
  }
  // A Map has no properties: it would pass for an object without gradients.
  if (!hasNames(gradients)) {
    throw new GradstepError(
      `Got ${describe(gradients)} as gradients; expected an object of tensors by variable name, or a list of { name, tensor }.`,
      { code: "INVALID_GRADIENT" },
    );
  }
  return Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }));
}

function describe(value: unknown): string {
  if (isInstance(value, Tensor)) return "a tensor";
  return hasNames(value) ? `{ ${Object.keys(value).join(", ")} }` : show(value);
}

function variableOf(name: string): Variable {
  const { registeredVariables } = engine();
  const variable = Object.hasOwn(registeredVariables, name) ? registeredVariables[name] : undefined;
  if (variable !== undefined) return variable;
  throw new GradstepError(
    `Got a gradient for "${name}", but TF.js has no variable of that name; expected the name of a tf.variable that was not disposed of.`,
    { code: "UNKNOWN_PARAMETER" },
  );
}

function checkPair({ variable, gradient }: Pair): void {
  const { name } = variable;
  if (variable.dtype !== "float32") {
    throw new GradstepError(
      `Variable "${name}" is ${variable.dtype}; expected float32. Make it non-trainable, or cast it.`,
      { code: "INVALID_PARAMETER" },
    );
  }
  if (!isInstance(gradient, Tensor)) {
    throw new GradstepError(
      `The gradient of "${name}" is not a tensor; expected one of shape [${variable.shape.join(", ")}]. Convert it with tf.tensor().`,
      { code: "INVALID_GRADIENT" },
    );
  }
  if (gradient.isDisposed) {
    throw new GradstepError(`The gradient of "${name}" was disposed of; expected a live tensor.`, {
      code: "DISPOSED",
    });
  }
  if (gradient.dtype !== "float32") {
    throw new GradstepError(
      `The gradient of "${name}" is ${gradient.dtype}; expected float32. Use gradient.toFloat().`,
      { code: "INVALID_GRADIENT" },
    );
  }
  if (gradient.size !== variable.size || !isSameShape(gradient.shape, variable.shape)) {
    throw new GradstepError(
      `The gradient of "${name}" has shape [${gradient.shape.join(", ")}]; expected [${variable.shape.join(", ")}].`,
      { code: "LENGTH_MISMATCH" },
    );
  }
}
