import { kerasSlot, torchSlots } from "@gradstep/core/interop";
import { kerasName } from "./optimizer-spec.js";
import type { Library } from "./golden-file.js";

/** One array of a library's state, and its counterpart in gradstep. */
export interface StateEntry {
  readonly parameter: string;
  /** A slot of the parameter, a persistent scalar of the rule, or the number of steps. */
  readonly kind: "slot" | "persistentScalar" | "iterations";
  readonly name: string;
  /** The library's values are multiplied by it. */
  readonly factor: 1 | -1;
  readonly values: readonly number[];
}

/**
 * The entries of a library's final state that have a counterpart in gradstep, and the keys of the others.
 *
 * Keras's SGD stores the momentum with the opposite sign; all other values are the same.
 */
export function stateEntries(
  library: Library,
  rule: string,
  parameters: readonly string[],
  state: Readonly<Record<string, unknown>>,
): { readonly entries: readonly StateEntry[]; readonly unknown: readonly string[] } {
  const entries: StateEntry[] = [];
  const unknown: string[] = [];
  /** The rule and its stages. */
  const parts = rule.split("+");
  const add = (
    key: string,
    values: unknown,
    entry: Omit<StateEntry, "values" | "factor"> | undefined,
    factor: 1 | -1 = 1,
  ): void => {
    if (entry === undefined || !Array.isArray(values)) unknown.push(key);
    else entries.push({ ...entry, factor, values: values as readonly number[] });
  };
  const first = parameters[0];
  for (const [key, value] of Object.entries(state)) {
    if (library === "torch") {
      for (const [name, values] of Object.entries((value ?? {}) as Record<string, unknown>))
        add(`${key}/${name}`, values, torchEntry(rule, key, name));
    } else if (library === "keras") {
      const own = key.slice(key.indexOf("/") + 1);
      if (own === "learning_rate") continue;
      const parameter = parameters.find((name) => own.startsWith(`${kerasName(name)}_`));
      const slot =
        parameter === undefined
          ? undefined
          : kerasSlot(rule, own.slice(kerasName(parameter).length + 1));
      if (own === "iteration")
        add(key, value, { parameter: first, kind: "iterations", name: "iterations" });
      else if (parts.includes("nadam") && /^variable(_\d+)?$/.test(own))
        add(key, value, { parameter: first, kind: "persistentScalar", name: "product" });
      else if (slot === undefined) add(key, value, undefined);
      else add(key, value, { parameter: parameter!, kind: "slot", name: slot.slot }, slot.factor);
    } else unknown.push(key);
  }
  return { entries, unknown };
}

function torchEntry(
  rule: string,
  parameter: string,
  name: string,
): Omit<StateEntry, "values" | "factor"> | undefined {
  if (name === "step") return { parameter, kind: "iterations", name: "iterations" };
  if (name === "mu_product") return { parameter, kind: "persistentScalar", name: "product" };
  const slot = torchSlots(rule)[name];
  return slot === undefined ? undefined : { parameter, kind: "slot", name: slot };
}
