import type { Rule } from "./spec.js";
import type {
  CompiledNode,
  CompiledProgram,
  CompiledRule,
  CompiledVariant,
} from "./compiled-rule.js";
import { combinations, type OptionTable } from "./options.js";
import type { Program } from "../language/program.js";

/**
 * A rule as data: its default options, the switches that add a slot on or off, and the options that differ from the
 * defaults in their scalars alone. Others need a kernel of their own, which would cost everybody what few use.
 */
export function compileRule(rule: Rule): CompiledRule<string, OptionTable> {
  const { name, hyperparameters, options } = rule;
  const plain = rule.variant();
  const switches = rule.switches.filter(
    (key) => rule.variant({ [key]: true }).slots.length > plain.slots.length,
  );
  const shape: OptionTable = {
    ...options,
    ...Object.fromEntries(switches.map((key) => [key, [false, true]])),
  };
  const variants = new Map<string, CompiledVariant>();
  for (const choices of combinations(shape)) {
    const changed = Object.entries(choices).filter(([key, value]) => value !== shape[key][0]);
    const switched = Object.fromEntries(changed.filter(([key]) => switches.includes(key)));
    const { label, carry, scalars, slots, perStep, perElement } = rule.variant(choices);
    const id = `${perStep.fingerprint} ${perElement.fingerprint}`;
    // What an option changes only beside another is in the variants of that one, or nowhere.
    if (variants.has(id)) continue;
    if (perElement.fingerprint !== rule.variant(switched).perElement.fingerprint) continue;
    variants.set(id, {
      choices: Object.fromEntries(changed),
      label,
      carry,
      scalars,
      slots: Object.fromEntries(slots.map((slot) => [slot.name, slot.initial])),
      perStep: compileProgram(perStep),
      perElement: compileProgram(perElement),
    });
  }
  return {
    name,
    hyperparameters,
    options,
    switches: rule.switches,
    variants: [...variants.values()],
  };
}

function compileProgram({ nodes, outputs, fingerprint }: Program): CompiledProgram {
  return {
    nodes: nodes.map(({ op, operands, value, name }): CompiledNode => {
      if (op === "input") return name;
      return op === "number" ? value : [op, ...operands];
    }),
    outputs: Object.fromEntries(outputs.map(({ name, node }) => [name, node])),
    fingerprint,
  };
}
