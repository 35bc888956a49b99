import { assembleRule, type CompleteChoices, type Settings } from "./assembled-rule.js";
import { GradstepError } from "../errors.js";
import type { Op } from "../language/expression.js";
import type { Hyperparameter } from "./hyperparameter.js";
import type { OptionTable } from "./options.js";
import type { Binding, Node, Program } from "../language/program.js";
import type { OptimizerSpec, Rule } from "./spec.js";
import type { Variant } from "./variant.js";

/** A node of a program: the name of an input, a number, or an operation and the places of its operands. */
export type CompiledNode = string | number | readonly [Op, ...number[]];

/** A program without its text: nodes, and the outputs' names and nodes. */
export interface CompiledProgram {
  readonly nodes: readonly CompiledNode[];
  readonly outputs: Readonly<Record<string, number>>;
  readonly fingerprint: string;
}

/** A variant without the texts that it was made from. */
export interface CompiledVariant extends Pick<Variant, "label" | "carry" | "scalars"> {
  /** The choices that differ from the defaults. */
  readonly choices: Readonly<Record<string, boolean | string>>;
  readonly slots: Readonly<Record<string, number | string>>;
  readonly perStep: CompiledProgram;
  readonly perElement: CompiledProgram;
}

/** A rule whose texts were parsed when this library was built. */
export interface CompiledRule<H extends string, O extends OptionTable> {
  readonly name: string;
  readonly hyperparameters: Readonly<Record<H, Hyperparameter>>;
  readonly options: O;
  readonly switches: readonly string[];
  readonly variants: readonly CompiledVariant[];
}

/** A rule as it is used, `adam({ learningRate: 0.01 })`, without the means to make another of it. */
export interface CompiledRuleFactory<H extends string, O extends OptionTable> {
  (settings?: Settings<H, O>): OptimizerSpec<H>;
  readonly rule: Rule;
}

/** The rule that was compiled: the same variants, for the choices that were compiled, without a parser. */
export function compiledRule<const H extends string, const O extends OptionTable>(
  compiled: CompiledRule<H, O>,
): CompiledRuleFactory<H, O> {
  const { name } = compiled;
  const build = (choices: CompleteChoices, shape: OptionTable): Variant => {
    const found = compiled.variants.find((variant) =>
      Object.entries(shape).every(
        ([key, values]) => choices[key] === (variant.choices[key] ?? values[0]),
      ),
    );
    if (found !== undefined) return expandVariant(name, found);
    const chosen = Object.keys(shape).filter((key) => choices[key] !== shape[key][0]);
    throw new GradstepError(
      `${name} of @gradstep/core/lean was compiled without ${chosen.join(" and ")}; import ${name} from @gradstep/core.`,
      { code: "UNSUPPORTED" },
    );
  };
  const known = compiled.variants.map(({ choices }) => choices);
  const rule = assembleRule(compiled, build, known);
  const factory = (settings: Settings<H, O> = {}): OptimizerSpec => rule.specify(settings);
  return Object.assign(factory, { rule }) as CompiledRuleFactory<H, O>;
}

function expandVariant(rule: string, variant: CompiledVariant): Variant {
  const { label, carry, scalars, slots, perStep, perElement } = variant;
  return {
    rule,
    label,
    slots: Object.entries(slots).map(([name, initial]) => ({ name, initial })),
    carry,
    perStep: expandProgram(perStep, label, Object.keys(carry)),
    perElement: expandProgram(perElement, label, ["p", "g", ...Object.keys(slots)]),
    scalars,
  };
}

/** What `buildProgram` gives for the text. */
function expandProgram(
  { nodes: compiled, outputs: named, fingerprint }: CompiledProgram,
  label: string,
  elements: readonly string[],
): Program {
  const outputs = Object.entries(named).map(([name, node]) => ({ name, node }));
  const uses = compiled.map(() => 0);
  const inputs: Binding[] = [];
  const nodes: Node[] = [];
  for (const [node, one] of compiled.entries()) {
    const isInput = typeof one === "string";
    const isNumber = typeof one === "number";
    const [op, ...operands] = isInput || isNumber ? ([isInput ? "input" : "number"] as const) : one;
    if (isInput) inputs.push({ name: one, node });
    for (const operand of operands) uses[operand] += 1;
    nodes.push({
      op,
      operands,
      value: isNumber ? one : Number.NaN,
      name: isInput ? one : "",
      varies: isInput ? elements.includes(one) : operands.some((operand) => nodes[operand].varies),
      uses: 0,
    });
  }
  for (const { node } of outputs) uses[node] += 1;
  return {
    nodes: nodes.map((node, i) => ({ ...node, uses: uses[i] })),
    inputs,
    outputs,
    source: `${label}, compiled`,
    fingerprint,
  };
}
