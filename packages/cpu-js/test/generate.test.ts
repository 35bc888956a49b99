import { adam, defineRule, nonNegative, type Node, type Pass } from "@gradstep/core";
import { expect, test } from "vitest";
import { createCpuJs, passes, type KernelTable } from "../src/kernels.js";
import { emitJs } from "../src/codegen/emit-js.js";
import { generate } from "../src/generate.js";
import { interpreter } from "../src/interpreter.js";
import { compiled } from "./compile.js";
import { codeOf } from "./support.js";

const { rule } = defineRule({
  name: "clipped",
  hyperparameters: { learningRate: nonNegative(0.1), unread: nonNegative(0) },
  options: { signed: [false, true] },
  slots: {},
  perElement: ({ signed }) => `p = p - ${signed ? "sign(g)" : "sqrt(abs(g))"} * learningRate`,
});

test("a module says what it was made from; as TypeScript, it imports the type of its table", () => {
  const script = generate(rule).split("\n");
  expect(script[0]).toBe('// Generated from the rule "clipped"; do not edit.');
  expect(script).toContain("export const clippedKernels = {");
  expect(script).toContain("  exact: false,");
  expect(script.filter((line) => line.startsWith("import"))).toEqual([]);
  const typed = generate(rule, { types: "./table.js" }).split("\n");
  expect(typed[1]).toBe('import type { KernelTable } from "./table.js";');
  expect(typed).toContain("export const clippedKernels: KernelTable = {");
});

test("a module has the kernels of all variants, or of those that are asked for", () => {
  const count = (source: string): number => source.match(/function update/g)?.length ?? 0;
  expect(count(generate(rule))).toBe(4);
  expect(count(generate(rule, { variants: [rule.variant({ signed: true })] }))).toBe(1);
});

test.each([
  ["an unknown option", rule, { exakt: true }, "UNKNOWN_OPTION"],
  ["another exact than true and false", rule, { exact: "yes" }, "INVALID_HYPERPARAMETER"],
  ["types that name no module", rule, { types: true }, "INVALID_HYPERPARAMETER"],
  ["a rule that is none", { name: "clipped" }, {}, "INVALID_RULE"],
  ["variants that are no list", adam, { variants: 5 }, "INVALID_RULE"],
  ["variants that are none", adam, { variants: [null] }, "INVALID_RULE"],
  [
    "a variant without its passes",
    adam,
    { variants: [{ perElement: adam.rule.variant().perElement }] },
    "INVALID_RULE",
  ],
  ["a variant and what is none", adam, { variants: [adam.rule.variant(), {}] }, "INVALID_RULE"],
])("refuses %s", (_, one, options, code) => {
  expect(codeOf(() => generate(one as never, options as never))).toBe(code);
});

test("a literal is negated as it is written, and in parentheses where it has a sign of its own", () => {
  const factory = defineRule({
    name: "literal",
    hyperparameters: { learningRate: nonNegative(0.1) },
    perElement: "p = p - g * learningRate * -2 + -0 * g",
  });
  const variant = factory.rule.variant();
  const lines = (value: number): string => {
    const nodes = variant.perElement.nodes.map((node) =>
      node.value === 2 ? { ...node, value } : node,
    );
    return emitJs({ ...variant, perElement: { ...variant.perElement, nodes } }, { exact: false });
  };
  const compact = (value: number): string => lines(value).replace(/\s/g, "");
  expect(compact(2)).toContain("=-2;");
  expect(compact(2)).toContain("=-0;");
  expect(compact(-2)).toContain("=-(-2);");
});

test("a module takes from Math what its kernels call, and nothing else", () => {
  // `sign` is called by one variant, `abs` and `sqrt` by the other.
  expect(generate(rule, { exact: false })).toContain(
    "\nconst { abs, fround, sign, sqrt } = Math;\n",
  );
});

test("a kernel has a name for each choice of options", () => {
  const names = rule
    .variants()
    .map((variant) => /\w+(?=\()/.exec(emitJs(variant, { exact: false }))?.[0]);
  expect(names).toEqual([
    "updateClipped",
    "updateClipped_weightDecayMode_l2",
    "updateClipped_signed",
    "updateClipped_weightDecayMode_l2_signed",
  ]);
  const source = emitJs(adam.rule.variant({ amsgrad: true, nesterov: true }), { exact: true });
  expect(source).toMatch(/^function updateAdam_amsgrad_nesterov\(/);
});

test("a kernel declares nothing that it does not read, which TypeScript would refuse", () => {
  const source = emitJs(rule.variant(), { exact: false });
  expect(source).not.toContain("unread");
  expect(source).toMatch(
    /^function updateClipped\(p\$, g\$, _\$slots, \$scalars, \$start, \$end, \$shift\) /,
  );
  // At most steps nothing is cleared: the kernel has no use for the thresholds.
  expect(emitJs(adam.rule.variant(), { exact: false })).not.toContain("FlushThreshold");
});

test("a table without kernels is refused", () => {
  const tables = [{ exact: false, kernels: null }] as unknown as KernelTable[];
  expect(codeOf(() => createCpuJs({ kernels: tables }))).toBe("INVALID_HYPERPARAMETER");
});

test.each(["pow", "f32", "floor"] as const)(
  "the interpreter refuses %s, an operation of the host",
  (op) => {
    const variant = rule.variant();
    const nodes = variant.perElement.nodes.map((node): Node =>
      node.op === "sqrt" ? { ...node, op } : node,
    );
    const [pass] = variant.passPlan.passes;
    const program = { ...variant.perElement, nodes };
    const passPlan = { ...variant.passPlan, passes: [{ ...pass, program } as Pass] };
    const altered = { ...variant, passPlan };
    const update = interpreter(altered, Float32Array);
    const one = Float32Array.of(1);
    expect(codeOf(() => update(one, one, [], new Float64Array(8), 0, 1, 0))).toBe("INVALID_RULE");
  },
);

test("a pass that variants have in common is written once, and used by each", async () => {
  const normed = defineRule({
    name: "normed",
    hyperparameters: { learningRate: nonNegative(0.1) },
    options: { signed: [false, true] },
    perElement: ({ signed }) => `u = ${signed ? "sign(g)" : "g"} * (normTensor(g) * learningRate)`,
  });
  const variants = [normed.variant(), normed.variant({ signed: true })];
  const source = generate(normed, { variants, types: "./table.js" });
  expect(source.match(/function \w+/g)).toEqual([
    "function updateNormed_pass0",
    "function updateNormed_pass1",
    "function updateNormed_signed_pass1",
  ]);
  expect(source).toContain('import type { KernelTable, PassFunction } from "./table.js";');
  expect(source).toContain("const updateNormed_pass0: PassFunction = function updateNormed_pass0(");
  const backend = createCpuJs({ kernels: [await compiled(normed, false)], passes });
  for (const variant of variants)
    expect(backend.compile(variant).source).toMatch(
      /^function updateNormed_pass0[^]*function updateNormed\w*_pass1/,
    );
});
