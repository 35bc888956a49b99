import type { Tensor } from "./backend.js";
import type { Values } from "./memory.js";

/** The values of a tensor: in `array` if that has their type and length and they can be accessed, else in a new array. */
export function readInto(
  tensor: Pick<Tensor, "read" | "view">,
  array: Values | undefined,
): Values | Promise<Values> {
  const values = tensor.view?.();
  if (array === undefined || array.constructor !== values?.constructor) return tensor.read();
  if (array.length !== values.length) return tensor.read();
  array.set(values);
  return array;
}
