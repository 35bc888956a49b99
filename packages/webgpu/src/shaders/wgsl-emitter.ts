import { emit, smallestNormal, type Emitter, type Variant } from "@gradstep/core";
import {
  scalarGroups,
  scalarsBinding,
  tableBinding,
  turns,
  workgroupSize,
} from "./kernel-layout.js";
import { safe } from "./reserved-words.js";

/** A piece of an expression, and how tightly it binds. */
interface Piece {
  readonly text: string;
  readonly binding: number;
  /** Whether it is a literal: an operation on literals alone would be evaluated, and refused, when it is compiled. */
  readonly isLiteral?: boolean;
  /** How many operations are in it, one within the other. */
  readonly depth: number;
}

/** Compilers of WGSL refuse what is nested too deep: Tint takes 512 operations, and half of 98 signs. */
const deepest = 32;

const comparison = 1;
const additive = 2;
const multiplicative = 3;
const unary = 4;
const atom = 5;

function piece(text: string, binding: number, operands: readonly Piece[] = []): Piece {
  return { text, binding, depth: Math.max(0, ...operands.map(({ depth }) => depth + 1)) };
}

function within({ text, binding }: Piece, least: number): string {
  return binding < least ? `(${text})` : text;
}

/** A literal of f32 that WGSL takes: the greatest finite one stands for what is beyond it. */
function literal(value: number): string {
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return String(Math.sign(value) * 3.4028234663852886e38);
  // Digits alone are an integer in WGSL, and those end at 2⁶³.
  return Math.abs(single) < 2 ** 63 ? String(single) : single.toExponential();
}

/**
 * The table from operations to WGSL. `Value` is vec4f or f32, so that one text serves both.
 *
 * @param share gives a value a name: returns the name.
 */
function emitter(share: (text: string, varies: boolean) => string): Emitter<Piece> {
  const named = (a: Piece): Piece => piece(share(a.text, false), atom);
  // What does not vary is shared already, and flat.
  const flat = (a: Piece): Piece => (a.depth < deepest ? a : piece(share(a.text, true), atom));
  /** At least one operand that is known only when the kernel runs, and none that is nested too deep. */
  const late = (operands: readonly Piece[]): readonly Piece[] =>
    operands.every(({ isLiteral }) => isLiteral === true)
      ? operands.map(named)
      : operands.map(flat);
  const call =
    (name: string) =>
    (...operands: Piece[]): Piece => {
      const all = late(operands);
      return piece(`${name}(${all.map(({ text }) => text).join(", ")})`, atom, all);
    };
  // Left-associative: the right operand must bind tighter.
  const infix =
    (operator: string, binding: number) =>
    (...operands: Piece[]): Piece => {
      const [a, b] = late(operands);
      const text = `${within(a, binding)} ${operator} ${within(b, binding + 1)}`;
      return piece(text, binding, [a, b]);
    };
  // Comparisons do not associate at all.
  const compare =
    (operator: string) =>
    (...operands: Piece[]): Piece => {
      const [a, b] = late(operands);
      const text = `${within(a, additive)} ${operator} ${within(b, additive)}`;
      return piece(text, comparison, [a, b]);
    };
  return {
    number: (value) => ({ ...piece(`Value(${literal(value)})`, atom), isLiteral: true }),
    input: (name) => piece(safe(name), atom),
    neg: (...operands) => {
      const [a] = late(operands);
      return piece(`-${within(a, atom)}`, unary, [a]);
    },
    abs: call("abs"),
    sqrt: call("sqrt"),
    sign: call("sign"),
    flush: call("flush"),
    add: infix("+", additive),
    sub: infix("-", additive),
    mul: infix("*", multiplicative),
    div: infix("/", multiplicative),
    min: call("min"),
    max: call("max"),
    lt: compare("<"),
    le: compare("<="),
    eq: compare("=="),
    ne: compare("!="),
    select: (condition, ...branches) => {
      const [a, b] = branches.map(flat);
      return piece(`select(${b.text}, ${a.text}, ${condition.text})`, atom, [condition, a, b]);
    },
    share: (value, varies) => piece(share(value.text, varies), atom),
  };
}

const flush = [
  "fn flush(x: Value) -> Value {",
  `  return select(x, Value(0), abs(x) < Value(${smallestNormal}));`,
  "}",
  "",
];

/** What a kernel computes, as lines of WGSL. */
export interface Body {
  /** The scalars of the step, and what follows from them alone. */
  readonly before: readonly string[];
  /** The values of one element are read, and the new ones computed. */
  readonly element: readonly string[];
  /** `p` and the slots, and the names that their new values have. */
  readonly results: readonly { readonly name: string; readonly text: string }[];
}

/**
 * The computation of a variant. All results are in registers when it ends: a store may replace what another one reads.
 *
 * @param load what gives the present value of `p`, `g` or a slot
 */
export function bodyOf({ perElement, scalars }: Variant, load: (name: string) => string): Body {
  const before: string[] = [];
  const element: string[] = [];
  let count = 0;
  const share = (text: string, varies: boolean): string => {
    count += 1;
    (varies ? element : before).push(`let t${count} = ${text};`);
    return `t${count}`;
  };
  for (const name of scalars) before.push(`let ${safe(name)} = Value(scalars[own].${safe(name)});`);
  for (const { name, node } of perElement.inputs) {
    if (perElement.nodes[node].varies) element.push(`let ${safe(name)} = ${load(name)};`);
  }
  const results = emit(perElement, emitter(share)).map(({ name, value }) => {
    const isName = /^\w+$/.test(value.text);
    return { name, text: isName ? value.text : share(value.text, true) };
  });
  return { before, element, results };
}

/** What stands before the arrays in every kernel: what a value is, and the scalars of a group. */
export function headOf({ scalars }: Variant, value: "f32" | "vec4f"): readonly string[] {
  return [
    `alias Value = ${value};`,
    "",
    "struct Scalars {",
    ...(scalars.length === 0 ? ["unused"] : scalars.map(safe)).map(
      (name, i) => `  ${i === 0 ? "@align(16) " : ""}${name}: f32,`,
    ),
    "}",
    "",
  ];
}

/** The bindings that every kernel has. */
export const tableAndScalars: readonly string[] = [
  `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
  `@group(0) @binding(${scalarsBinding}) var<uniform> scalars: array<Scalars, ${scalarGroups}>;`,
];

/** What the kernel calls. */
export function functionsOf({ perElement }: Variant): readonly string[] {
  return perElement.nodes.some(({ op }) => op === "flush") ? flush : [];
}

/** The beginning of the entry point: finds the workgroup's tile and its entry in the table. */
export const entryPoint: readonly string[] = [
  `@compute @workgroup_size(${workgroupSize})`,
  "fn update(",
  "  @builtin(workgroup_id) group: vec3u,",
  "  @builtin(num_workgroups) groups: vec3u,",
  "  @builtin(local_invocation_index) pool: u32,",
  ") {",
  "  let tile = group.y * groups.x + group.x;",
  "  if (tile >= table[0]) { return; }",
  "  let entry = table[1u + tile];",
  "  let count = table[entry + 1u];",
];

/** The loop over the elements of a tile: in it, `i` is the element. It is closed by the caller. */
export const turn: readonly string[] = [
  `  for (var turn = 0u; turn < ${turns}u; turn++) {`,
  `    let i = ((tile - table[entry]) * ${turns}u + turn) * ${workgroupSize}u + pool;`,
  "    if (i >= count) { return; }",
];

/** Of f16, the greatest finite number: WGSL has no result for what is beyond it. */
const greatestHalf = "65504.0";

/** A value as f16 in the lower half of a word. */
export function packedHalf(value: string): string {
  return `pack2x16float(vec2f(clamp(${value}, -${greatestHalf}, ${greatestHalf}), 0.0))`;
}
