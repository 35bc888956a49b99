// Random rules with reductions: compiled passes, the interpreter and the reference have to agree.
import { defineRule, GradstepError, nonNegative, type Rule } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { passes } from "../src/passes/compile-passes.js";
import { createCpuJs } from "../src/cpu-js.js";
import { compiled } from "./compile.js";
import { after, differingArrays, stepsFor } from "./steps.js";

const extents = ["row", "column", "tensor", "all"] as const;
const reductions = ["sum", "mean", "max", "norm"].flatMap((kind) =>
  ["Row", "Column", "Tensor", "All"].map((over) => kind + over),
);
/** A slot per extent; `m` has a value per element. */
const names = ["p", "g", "m", ...extents.map((extent) => `${extent}Slot`), "a", "0.5", "rows"];

const { text } = fc.letrec<{ text: string }>((tie) => ({
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
const lines = fc.array(
  fc
    .tuple(fc.constantFrom("m", ...extents.map((extent) => `${extent}Slot`)), text)
    .map(([name, value]) => `${name} = ${value}`),
  { maxLength: 3 },
);

/** Undefined for a text that is refused. */
function ruleOf(statements: readonly string[], matrices: "first" | "last"): Rule | undefined {
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
const shape = fc
  .array(side, { maxLength: 4 })
  .filter((lengths) => lengths.reduce((a, b) => a * b, 1) <= 20_000);

test(`gives the bits of the reference (seed ${seed})`, async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(
      lines,
      text,
      fc.constantFrom("first", "last"),
      shape,
      fc.constantFrom(undefined, "keep", "decay", "zero"),
      async (statements, update, matrices, lengths, how) => {
        const rule = ruleOf([...statements, `u = (${update}) * learningRate`], matrices);
        fc.pre(rule !== undefined);
        accepted += 1;
        const tensors = { a: lengths, b: [3, 2] };
        const steps = stepsFor(
          tensors,
          2,
          how === undefined
            ? undefined
            : () => ({
                unselectedRows: how,
                rows: Object.fromEntries(
                  Object.entries(tensors).map(([name, [length = 1]]) => [
                    name,
                    Uint32Array.from({ length }, (_, row) => (row * 7 + 3) % 3),
                  ]),
                ),
              }),
        );
        // A number has no rows to be masked.
        fc.pre(how === undefined || lengths.length > 0);
        const spec = rule.specify({});
        const wanted = await after(reference(), spec, tensors, steps);
        const kernels = [await compiled(rule, true)];
        for (const backend of [
          createCpuJs({ exact: true, kernels, passes }),
          createCpuJs({ exact: true, passes }),
        ])
          expect(differingArrays(await after(backend, spec, tensors, steps), wanted)).toEqual([]);
      },
    ),
    { numRuns: cases(2000, 60), seed },
  );
  expect(accepted).toBeGreaterThan(0);
}, 600_000);
