import { isArray } from "../argument-checks/is-array.js";
import { propertyOf } from "../argument-checks/property-of.js";
import type { Variant } from "../rule/variant.js";
import type { Update } from "./backend.js";
import { checkArgument } from "./host-call-checks.js";
import type { Values } from "./memory.js";
import type { HostTensor } from "./host-tensor.js";

/**
 * The live arrays of an update in host memory, by their names in the rule: `p`, `g`, then the slots.
 * @throws {GradstepError} `INVALID_PARAMETER` for an update of another rule, or of tensors without `view`; `DISPOSED`
 */
export function arraysOf<T extends Values>(variant: Variant, update: Update): Map<string, T> {
  const slots = propertyOf(variant, "slots");
  const values = propertyOf(update, "slots");
  const isOfIt = isArray(slots) && isArray(values) && slots.length === values.length;
  checkArgument(isOfIt, "update", update, "an update of the variant");
  const names = ["p", "g", ...variant.slots.map(({ name }) => name)];
  const tensors = [update.parameter, update.gradient, ...update.slots];
  return new Map(names.map((name, i) => [name, viewOf(name, tensors[i]) as T]));
}

function viewOf(name: string, tensor: unknown): Values {
  const hasView = typeof propertyOf(tensor, "view") === "function";
  checkArgument(hasView, name, tensor, "a tensor in host memory, which has view()");
  return (tensor as HostTensor).view();
}
