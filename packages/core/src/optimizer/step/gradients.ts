import type { Tensor } from "../../backend/backend.js";
import type { Values } from "../../backend/memory.js";
import { isRawMemory, wrapRemedy } from "../../backend/raw-memory.js";
import { isTensor } from "../../backend/is-tensor.js";
import { isSameShape } from "../../backend/shape.js";
import { GradstepError, show } from "../../errors.js";
import { isPromise } from "../../argument-checks/is-promise.js";
import { notLive, withoutValues } from "../../backend/tensor-errors.js";
import { arrayTypeOf } from "../../language/precision.js";
import { isGradientArray, sharedMemory } from "../parameters/gradient-memory.js";
import { areInterleaved, overlaps } from "../parameters/parameter-checks.js";
import type { SparseGradient } from "../sparse/sparse-gradient.js";
import { isArray } from "../../argument-checks/is-array.js";

/**
 * Gradients by the names of their parameters; a parameter without a gradient is not updated. A gradient is an array, a
 * tensor of one dimension, or a tensor of the parameter's shape. That of an embedding can be sparse: `{ indices, values }`.
 */
export type Gradients<N extends string = string> = {
  readonly [K in N]?: Values | Tensor | SparseGradient | null | undefined;
};

/**
 * Checks one gradient against its parameter.
 * @throws {GradstepError} `INVALID_GRADIENT`, `LENGTH_MISMATCH`, `INVALID_SHAPE`, `OVERLAPPING_MEMORY`, `INVALID_MEMORY`,
 * `DISPOSED`
 */
export function checkGradient(name: string, gradient: Values | Tensor, parameter: Tensor): void {
  const { backend, size } = parameter;
  if (parameter.freed) throw notLive(`Parameter "${name}"`, parameter);
  const own = parameter.memory;
  if (own.byteLength === 0) throw withoutValues(`Parameter "${name}"`);
  if (ArrayBuffer.isView(gradient)) {
    if (!isGradientArray(gradient, backend.precision))
      throw notAGradient(name, gradient, parameter);
    if (gradient.length !== size) throw mismatch(name, gradient.length, parameter);
    if (overlaps(gradient, own)) throw sharedMemory(`Gradient "${name}" shares`);
    return;
  }
  if (backendOf(gradient) !== backend || !isGradientLayout(gradient))
    throw notAGradient(name, gradient, parameter);
  if (gradient.freed) throw notLive(`Gradient "${name}"`, gradient);
  if (gradient.size !== size) throw mismatch(name, gradient.size, parameter);
  checkShape(name, gradient, parameter);
  const { memory } = gradient;
  // A staging tensor without values must be found before a kernel starts.
  if (memory.byteLength === 0) throw withoutValues(`Gradient "${name}"`);
  if (overlaps(memory, own) && !areInterleaved(gradient, parameter))
    throw sharedMemory(`Gradient "${name}" shares`);
}

/** The backend of a tensor; undefined for everything else, also for a proxy that was revoked. */
function backendOf(gradient: Partial<Tensor>): Tensor["backend"] | undefined {
  try {
    return gradient.backend;
  } catch {
    return undefined;
  }
}

/** Integers are gradients on backends that take any layout; without a scale, u32 are masks. */
function isGradientLayout({ layout, backend }: Tensor): boolean {
  if (layout === undefined) return true;
  const { dtype, scale } = layout;
  if (dtype === "u32" && scale === 1) return false;
  return backend.takesLayouts === true || dtype === "f32" || dtype === "f16";
}

/** In one dimension without gaps, values have the order of the parameter's. @throws {GradstepError} `INVALID_SHAPE` */
function checkShape(name: string, { layout, shape }: Tensor, parameter: Tensor): void {
  const isFlat = shape.length < 2 && (layout?.rowStride ?? 1) === 1;
  if (isFlat || isSameShape(shape, parameter.shape)) return;
  throw new GradstepError(
    `Gradient "${name}" has shape ${show(shape)}; expected ${show(parameter.shape)}, or one dimension without gaps. Transpose it, unless its values are in the parameter's order.`,
    { code: "INVALID_SHAPE" },
  );
}

function notAGradient(
  name: string,
  gradient: unknown,
  { backend: own, shape }: Tensor,
): GradstepError {
  if (isTensor(gradient) && gradient.backend === own && gradient.layout?.dtype === "u32")
    return new GradstepError(
      `Gradient "${name}" is a u32 tensor of scale 1, as masks are; expected the scale of its integers. Pass it to wrap, as in backend.wrap(memory, { scale: 2 ** -16 }).`,
      { code: "INVALID_GRADIENT" },
    );
  const { name: backend, precision } = own;
  const array = arrayTypeOf(precision).name;
  const isList = isArray(gradient) || ArrayBuffer.isView(gradient);
  const other = isRawMemory(gradient)
    ? wrapRemedy(shape)
    : `Pass its values as a ${array}, or memory of the backend as backend.wrap(memory).`;
  const awaited = isPromise(gradient) ? "Await it." : other;
  const isInteger = isList && /Int32|Uint32/.test(Object.prototype.toString.call(gradient));
  const fixedPoint =
    isInteger && own.takesLayouts === true
      ? " If its integers are multiples of a scale, pass backend.wrap(values, { scale })."
      : "";
  const remedy = isList ? `Convert it with new ${array}(values).${fixedPoint}` : awaited;
  const isForeign = isTensor(gradient) && gradient.backend !== own;
  const got = isForeign ? `a tensor of another backend (${gradient.backend.name})` : show(gradient);
  return new GradstepError(
    `Gradient "${name}" is ${got}; expected a ${array}, or a tensor of the parameter's ${backend} backend. ${remedy}`,
    { code: "INVALID_GRADIENT" },
  );
}

function mismatch(name: string, length: number, { size, shape }: Tensor): GradstepError {
  return new GradstepError(
    `Gradient "${name}" has ${length} values; expected ${size} (shape ${show(shape)}).`,
    { code: "LENGTH_MISMATCH" },
  );
}
