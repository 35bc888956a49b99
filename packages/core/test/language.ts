// An independent model of the rule language for the tests: trees that are printed, evaluated and generated at random
// without any code that is tested.
import fc from "fast-check";
import type { Extent } from "../src/language/extent.js";

export type Tree =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "operation"; readonly op: string; readonly operands: readonly Tree[] };

const infix: Readonly<Record<string, readonly [symbol: string, binding: number]>> = {
  lt: ["<", 1],
  le: ["<=", 1],
  eq: ["==", 1],
  ne: ["!=", 1],
  add: ["+", 2],
  sub: ["-", 2],
  mul: ["*", 3],
  div: ["/", 3],
};

/** The text of a tree, with only the parentheses that it needs. */
export function print(tree: Tree, least = 0): string {
  const { text, binding } = written(tree);
  return binding < least ? `(${text})` : text;
}

function written(tree: Tree): { text: string; binding: number } {
  if (tree.kind === "number") return { text: String(tree.value), binding: 6 };
  if (tree.kind === "name") return { text: tree.name, binding: 6 };
  const { op, operands } = tree;
  const [a, b, c] = operands;
  if (op in infix) {
    const [symbol, binding] = infix[op];
    // Comparisons do not chain; other operators are left-associative.
    const left = print(a, binding === 1 ? 2 : binding);
    return { text: `${left} ${symbol} ${print(b, binding + 1)}`, binding };
  }
  if (op === "select") return { text: `${print(a, 1)} ? ${print(b)} : ${print(c)}`, binding: 0 };
  if (op === "neg") return { text: `-${print(a, 4)}`, binding: 4 };
  if (op === "pow") return { text: `${print(a, 6)} ** ${print(b, 4)}`, binding: 5 };
  return { text: `${op}(${operands.map((operand) => print(operand)).join(", ")})`, binding: 6 };
}

/** The value of a tree, computed with JavaScript's operators; `round` is applied to every result. */
export function evaluate(
  tree: Tree,
  values: Readonly<Record<string, number>>,
  round: (value: number) => number,
): number {
  if (tree.kind === "number") return round(tree.value);
  if (tree.kind === "name") return values[tree.name];
  const [a, b, c] = tree.operands.map((operand) => evaluate(operand, values, round));
  const results: Readonly<Record<string, () => number>> = {
    neg: () => -a,
    abs: () => (a < 0 || Object.is(a, -0) ? -a : a),
    sqrt: () => Math.sqrt(a),
    sign: () => (a > 0 ? 1 : a < 0 ? -1 : a),
    flush: () => (a < 2 ** -126 && a > -(2 ** -126) ? 0 : a),
    isFinite: () => Number(a - a === 0),
    f32: () => Math.fround(a),
    add: () => a + b,
    sub: () => a - b,
    mul: () => a * b,
    div: () => a / b,
    pow: () => a ** b,
    min: () => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : smaller(a, b)),
    max: () => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : -smaller(-a, -b)),
    lt: () => Number(a < b),
    le: () => Number(a <= b),
    eq: () => Number(a === b),
    ne: () => Number(a !== b),
    select: () => (a === 0 ? c : b),
  };
  return round(results[tree.op]());
}

/** The smaller value; −0 is smaller than +0. */
function smaller(a: number, b: number): number {
  if (a === b) return Object.is(a, -0) ? a : b;
  return a < b ? a : b;
}

/** A sequence of assignments. */
export type Lines = readonly { readonly name: string; readonly value: Tree }[];

export function printLines(lines: Lines): string {
  return lines.map(({ name, value }) => `${name} = ${print(value)}`).join("\n");
}

export function evaluateLines(
  lines: Lines,
  values: Readonly<Record<string, number>>,
  round: (value: number) => number,
): Record<string, number> {
  const present = { ...values };
  for (const { name, value } of lines) present[name] = evaluate(value, present, round);
  return present;
}

/** Trees over these names. */
export function trees(
  names: readonly string[],
  options: { readonly onHost?: boolean; readonly depth?: number } = {},
): fc.Arbitrary<Tree> {
  const { onHost = false, depth = 4 } = options;
  const leaf: fc.Arbitrary<Tree> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(...names).map((name): Tree => ({ kind: "name", name })),
    },
    {
      weight: 1,
      arbitrary: fc
        .oneof(
          fc.constantFrom(0, 1, 0.5, 2, 1e-7, 1e-45, 3e38, 1e21),
          fc.double({ min: 0, max: 4, noNaN: true }),
        )
        .map((value): Tree => ({ kind: "number", value: Math.abs(value) })),
    },
  );
  const node = (op: string, ...operands: readonly Tree[]): Tree => ({
    kind: "operation",
    op,
    operands,
  });
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: depth, depthSize: "small", withCrossShrink: true },
      leaf,
      fc
        .tuple(
          fc.constantFrom(
            "neg",
            "abs",
            "sqrt",
            "sign",
            "flush",
            "isFinite",
            ...(onHost ? ["f32"] : []),
          ),
          tie("tree"),
        )
        .map(([op, a]) => node(op, a)),
      fc
        .tuple(
          fc.constantFrom("add", "sub", "mul", "div", "min", "max", ...(onHost ? ["pow"] : [])),
          tie("tree"),
          tie("tree"),
        )
        .map(([op, a, b]) => node(op, a, b)),
      fc
        .tuple(
          fc.constantFrom("lt", "le", "eq", "ne"),
          tie("tree"),
          tie("tree"),
          tie("tree"),
          tie("tree"),
        )
        .map(([op, a, b, c, d]) => node("select", node(op, a, b), c, d)),
    ),
  }));
  return tree;
}

/** One to four assignments to these outputs, the last one to `p`; every name may be read at any time. */
export function programs(
  outputs: readonly string[],
  names: readonly string[],
): fc.Arbitrary<Lines> {
  return fc
    .tuple(
      fc.array(fc.record({ name: fc.constantFrom(...outputs), value: trees(names) }), {
        maxLength: 3,
      }),
      trees(names),
    )
    .map(([lines, last]) => [...lines, { name: "p", value: last }]);
}

/** f32 values, often special ones. */
export const singles: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    Infinity,
    -Infinity,
    Number.NaN,
    2 ** -149,
    -(2 ** -149),
    2 ** -126,
    -(2 ** -126),
    2 ** -126 - 2 ** -149,
    Math.fround(3.4028234663852886e38),
    1 + 2 ** -23,
  ),
  fc.float({ min: -2, max: 2, noNaN: true }),
  fc.float(),
);

/** Arrays with one value per element. */
export function elementArrays(names: readonly string[]): ReadonlyMap<string, Extent> {
  return new Map(names.map((name) => [name, "element"]));
}
