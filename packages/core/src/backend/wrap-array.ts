import { propertyOf } from "../argument-checks/property-of.js";
import type { Backend, Tensor } from "./backend.js";
import type { HostArray } from "./host-array.js";
import { checkArgument } from "./host-call-checks.js";
import type { LaidOutTensor } from "./laid-out-tensor.js";
import type { Values } from "./memory.js";
import { wrappedTensor, type ArrayWrapping } from "./wrapped-tensor.js";
import type { WrapOptions } from "./wrapping-backend.js";

/**
 * `WrappingBackend.wrap` for typed arrays: makes a plain tensor of floats without gaps between rows, and a `LaidOutTensor`
 * of everything else.
 *
 * @throws {GradstepError} `INVALID_MEMORY`, `INVALID_SHAPE`, `UNKNOWN_OPTION`; `INVALID_PARAMETER` for a value that is not a
 * backend, or without `makePlain`
 */
export function wrapArray<T extends Values, R extends Tensor>(
  backend: Backend,
  memory: HostArray,
  options: WrapOptions | undefined,
  wrapping: ArrayWrapping<T, R>,
): R | LaidOutTensor {
  const hasPrecision = typeof propertyOf(backend, "precision") === "string";
  checkArgument(hasPrecision, "backend", backend, "a backend, which has a precision");
  const isFunction = typeof propertyOf(wrapping, "makePlain") === "function";
  checkArgument(isFunction, "wrapping", wrapping, "{ makePlain: (shape, values, reserved) => … }");
  return wrappedTensor(backend, memory, options, wrapping);
}
