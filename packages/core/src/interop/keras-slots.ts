/** The counterpart of one of Keras's optimizer variables. */
export interface KerasSlot {
  /** The name of the slot. */
  readonly slot: string;
  /** The factor from Keras's values to those of the slot. */
  readonly factor: 1 | -1;
}

const slots: Readonly<Record<string, string>> = {
  momentum: "m",
  velocity: "v",
  velocity_hat: "vMax",
  norm: "norm",
  average_gradient: "a",
  accumulator: "a",
  linear: "z",
  average: "ema",
  accumulated_grad: "v",
  accumulated_delta_var: "d",
};

/**
 * The slot that holds what Keras keeps per parameter under a name such as `momentum`, for a rule or a chain such as
 * `"adam+ema"`; undefined if there is none. Keras's SGD stores the momentum with the opposite sign.
 */
export function kerasSlot(rule: string, name: string): KerasSlot | undefined {
  if (typeof rule !== "string" || typeof name !== "string") return undefined;
  const parts = rule.split("+");
  if (name === "momentum" && parts.includes("schedule-free-adamw")) return { slot: "z", factor: 1 };
  const slot = Object.hasOwn(slots, name) ? slots[name] : undefined;
  if (slot === undefined) return undefined;
  return { slot, factor: slot === "m" && parts.includes("sgd") ? -1 : 1 };
}
