import type { HostTensor, Tensor } from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { target, withChange, type MutableBackend } from "../mutable-target.js";

/** The reference with members replaced. */
export function changing(name: string, change: (backend: MutableBackend) => void): Mutant {
  return { name, kind: "backend", target: () => target({ backend: withChange(change) }) };
}

/** The values of a tensor of the reference, not a copy. */
export const live = (tensor: Tensor): Float32Array => (tensor as HostTensor).view() as Float32Array;
