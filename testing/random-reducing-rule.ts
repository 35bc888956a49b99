// Random rules with reductions over the whole language.
import { defineRule, GradstepError, nonNegative, type Rule } from "@gradstep/core";
import fc from "fast-check";

const extents = ["row", "column", "tensor", "all"] as const;
const reductions = ["sum", "mean", "max", "norm"].flatMap((kind) =>
  ["Row", "Column", "Tensor", "All"].map((over) => kind + over),
);
/** A slot per extent; `m` has a value per element. */
const names = ["p", "g", "m", ...extents.map((extent) => `${extent}Slot`), "a", "0.5", "rows"];

/** An expression. */
export const { text } = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 5, depthSize: "small", withCrossShrink: true },
    { weight: 2, arbitrary: fc.constantFrom(...names) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom(...reductions), tie("text"))
        .map(([name, operand]) => `${name}(${operand})`),
    },
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.constantFrom("+", "-", "*"), tie("text"), tie("text"))
        .map(([operator, left, right]) => `(${left} ${operator} ${right})`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie("text"), tie("text"))
        .map(([left, right]) => `(${left} / (1 + abs(${right})))`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie("text"), tie("text"), tie("text"))
        .map(([left, right, other]) => `(${left} < ${right} ? ${other} : ${left})`),
    },
  ),
}));

/** Assignments to slots, some of which have too many values for theirs. */
export const lines = fc.array(
  fc
    .tuple(fc.constantFrom("m", ...extents.map((extent) => `${extent}Slot`)), text)
    .map(([name, value]) => `${name} = ${value}`),
  { maxLength: 3 },
);

/** Undefined for a text that is refused. */
export function ruleOf(
  statements: readonly string[],
  matrices: "first" | "last",
): Rule | undefined {
  try {
    return defineRule({
      name: "random",
      hyperparameters: { learningRate: nonNegative(0.1), a: nonNegative(0.25) },
      slots: {
        m: "p",
        ...Object.fromEntries(
          extents.map((extent) => [`${extent}Slot`, { extent, initial: 0.5 }] as const),
        ),
      },
      matrices,
      perElement: [
        ...statements,
        ...["m", ...extents.map((extent) => `${extent}Slot`)].map((name) => `${name} = ${name}`),
      ].join("\n"),
    }).rule;
  } catch (fault) {
    if (fault instanceof GradstepError && fault.code === "RULE_SYNTAX") return undefined;
    throw fault;
  }
}

const side = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(1023, 1025, 4096, 4099) },
);
/** Of no more than 20,000 values. */
export const shape = fc
  .array(side, { maxLength: 4 })
  .filter((lengths) => lengths.reduce((a, b) => a * b, 1) <= 20_000);
