import type { Variant } from "../rule/variant.js";
import type { Update } from "./backend.js";
import type { Values } from "./memory.js";
import type { HostTensor } from "./host-tensor.js";

/** The live arrays of an update in host memory, by their names in the rule: `p`, `g`, then the slots. */
export function arraysOf<T extends Values>({ slots }: Variant, update: Update): Map<string, T> {
  const { parameter, gradient } = update;
  const names = ["p", "g", ...slots.map(({ name }) => name)];
  const tensors = [parameter, gradient, ...update.slots];
  return new Map(names.map((name, i) => [name, (tensors[i] as HostTensor).view() as T]));
}
