import type { CompiledRule } from "../src/lean/rule.js";
import type { Op } from "../src/language/expression.js";
import type { Program } from "../src/language/program.js";
import { combinations, type OptionTable } from "../src/rule/options.js";
import type { Rule } from "../src/rule/spec.js";
import type { Variant } from "../src/rule/variant.js";

/**
 * A rule as text of TypeScript: its default options, the switches that add a slot on or off, and the options that
 * differ from the defaults in their scalars alone. Others need a kernel of their own, which would cost everybody what
 * few use.
 */
export function compileRule(rule: Rule): string {
  const { name, hyperparameters, options } = rule;
  const switches = rule.switches.filter(
    (key) => rule.variant({ [key]: true }).slots.length > rule.variant().slots.length,
  );
  const shape: OptionTable = {
    ...options,
    ...Object.fromEntries(switches.map((key) => [key, [false, true]])),
  };
  const found = new Map<string, { choices: object; variant: Variant }>();
  const known = new Map<string, Set<unknown>>();
  for (const choices of combinations(shape)) {
    const changed = Object.entries(choices).filter(([key, value]) => value !== shape[key][0]);
    const switched = Object.fromEntries(changed.filter(([key]) => switches.includes(key)));
    const variant = rule.variant(choices);
    const id = `${variant.perStep.fingerprint} ${variant.perElement.fingerprint}`;
    // What an option changes only beside another is in the variants of that one, or nowhere.
    if (found.has(id)) continue;
    if (variant.perElement.fingerprint !== rule.variant(switched).perElement.fingerprint) continue;
    found.set(id, { choices: Object.fromEntries(changed), variant });
    for (const [key, value] of changed) {
      if (Object.hasOwn(options, key))
        known.set(key, (known.get(key) ?? new Set([options[key][0]])).add(value));
    }
  }
  const defaults = Object.entries(options).map(([key, [value]]) => [key, value]);
  const table: Omit<CompiledRule, "variants"> = {
    name,
    hyperparameters,
    options: Object.fromEntries(defaults),
    switches: rule.switches,
  };
  const types = [...known].map(
    ([key, values]) => `${key}: ${[...values].map((value) => JSON.stringify(value)).join(" | ")}`,
  );
  const names = Object.keys(hyperparameters).map((key) => JSON.stringify(key));
  const variants = [...found.values()].map(({ choices, variant }) => compiled(choices, variant));
  return `/* @__PURE__ */ leanRule<${names.join(" | ")}, { ${types.join("; ")} }>({
    ...${JSON.stringify(table)},
    variants: [${variants.join(", ")}],
  })`;
}

function compiled(choices: object, variant: Variant): string {
  const { carry, scalars, slots, perElement } = variant;
  const table = {
    choices,
    carry,
    scalars: { length: scalars.length },
    slots: Object.fromEntries(slots.map((slot) => [slot.name, slot.initial])),
    fingerprint: perElement.fingerprint,
  };
  return `{ ...${JSON.stringify(table)}, perStep: ${perStepCode(variant)} }`;
}

/** Operations of the host as JavaScript: what `interpret` does, to the bit. */
const operations: Record<Op, (a: string, b: string, c: string) => string> = {
  neg: (a) => `-${a}`,
  abs: (a) => `Math.abs(${a})`,
  sqrt: (a) => `Math.sqrt(${a})`,
  sign: (a) => `Math.sign(${a})`,
  flush: (a) => `Math.abs(${a}) < 2 ** -126 ? 0 : ${a}`,
  add: (a, b) => `${a} + ${b}`,
  sub: (a, b) => `${a} - ${b}`,
  mul: (a, b) => `${a} * ${b}`,
  div: (a, b) => `${a} / ${b}`,
  min: (a, b) => `Math.min(${a}, ${b})`,
  max: (a, b) => `Math.max(${a}, ${b})`,
  pow: (a, b) => `${a} ** ${b}`,
  f32: (a) => `Math.fround(${a})`,
  floor: (a) => `Math.floor(${a})`,
  lt: (a, b) => `${a} < ${b}`,
  le: (a, b) => `${a} <= ${b}`,
  eq: (a, b) => `${a} === ${b}`,
  ne: (a, b) => `${a} !== ${b}`,
  select: (a, b, c) => `${a} ? ${b} : ${c}`,
};

/** A `PerStep` for a variant: its program as code. */
function perStepCode({ perStep, scalars, carry }: Variant): string {
  const handed = Object.keys(carry);
  const input = (name: string): string => {
    if (name === "t") return "t";
    return handed.includes(name) ? `carry[${handed.indexOf(name)}]` : `h.${name}`;
  };
  const lines: string[] = [];
  const texts: string[] = [];
  perStep.nodes.forEach(({ op, operands, value, name, uses }, node) => {
    if (op === "input" || op === "number") {
      texts.push(op === "input" ? input(name) : `${value}`);
      return;
    }
    const [a = "", b = "", c = ""] = operands.map((operand) => texts[operand]);
    const text = `(${operations[op](a, b, c)})`;
    if (uses > 1) lines.push(`const n${node} = ${text};`);
    texts.push(uses > 1 ? `n${node}` : text);
  });
  const output = (name: string): string => {
    const found: Program["outputs"][number] | undefined = perStep.outputs.find(
      (one) => one.name === name,
    );
    return found === undefined ? input(name) : texts[found.node];
  };
  const stores = [...scalars, ...handed].map((name, i) => `to[${i}] = ${output(name)};`);
  const body = [...lines, ...stores].join(" ");
  const parameters = ["h", "t", "to", "carry"].map((name) => {
    return new RegExp(`\\b${name}\\b`).test(body) ? name : `_${name}`;
  });
  return `(${parameters.join(", ")}) => { ${body} }`;
}
