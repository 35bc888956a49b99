import { emit, GradstepError, smallestNormal, type Emitter, type Variant } from "@gradstep/core";
import { safe } from "./wgsl-names.js";

/** How many invocations work together, and how many values each of them updates, one after the other. */
export const workgroupSize = 64;
const turns = 4;

/** Values that one workgroup updates: floats, or groups of four. */
export const tileLength: number = workgroupSize * turns;

/** Groups of hyperparameters that one dispatch can tell apart. */
export const scalarGroups = 16;

/** The form of a kernel: what its memory looks like, never what it computes. */
export interface Form {
  /** 4: all ranges begin at multiples of four values and are read as vec4f; 1: they begin anywhere. */
  readonly width: 1 | 4;
  /**
   * Where gradients are: in another buffer than the parameters (`apart`), in the same one but not within the same
   * binding (`beside`), or in one binding with them (`joined`).
   */
  readonly gradients: "apart" | "beside" | "joined";
}

/** The form in which a backend's own tensors are updated. */
export const usualForm: Form = { width: 4, gradients: "apart" };

/** Bindings of group 0, in the order of their numbers; the storage buffers after the table hold values. */
export const tableBinding = 0;
export const scalarsBinding = 1;
export const firstArrayBinding = 2;

/** What the table says of a range of elements, as u32s, before the position of each array. */
export const entryHead = 3;

/** The arrays that a kernel of this form binds, in order: `p`, `g` unless it is joined, then the slots. */
export function arraysOf({ slots }: Variant, { gradients }: Form): readonly string[] {
  return ["p", ...(gradients === "joined" ? [] : ["g"]), ...slots.map(({ name }) => name)];
}

/** Bytes from the scalars of one group to those of the next in the uniform buffer. */
export function scalarStride({ scalars }: Variant): number {
  return Math.max(1, Math.ceil(scalars.length / 4)) * 16;
}

/** A piece of an expression, and how tightly it binds. */
interface Piece {
  readonly text: string;
  readonly binding: number;
  /** Whether it is a literal: an operation on literals alone would be evaluated, and refused, when it is compiled. */
  readonly isLiteral?: boolean;
}

const comparison = 1;
const additive = 2;
const multiplicative = 3;
const unary = 4;
const atom = 5;

function piece(text: string, binding: number): Piece {
  return { text, binding };
}

function within({ text, binding }: Piece, least: number): string {
  return binding < least ? `(${text})` : text;
}

/** A literal of f32 that WGSL takes: the greatest finite one stands for what is beyond it. */
function literal(value: number): string {
  const single = Math.fround(value);
  return String(Number.isFinite(single) ? single : Math.sign(value) * 3.4028234663852886e38);
}

/**
 * The table from operations to WGSL. `Value` is vec4f or f32, so that one text serves both.
 *
 * @param share gives a value a name: returns the name.
 */
function emitter(share: (text: string, varies: boolean) => string): Emitter<Piece> {
  const named = (a: Piece): Piece => piece(share(a.text, false), atom);
  /** At least one operand that is known only when the kernel runs. */
  const late = (operands: readonly Piece[]): readonly Piece[] =>
    operands.every(({ isLiteral }) => isLiteral === true) ? operands.map(named) : operands;
  const call =
    (name: string) =>
    (...operands: Piece[]): Piece =>
      piece(
        `${name}(${late(operands)
          .map(({ text }) => text)
          .join(", ")})`,
        atom,
      );
  // Left-associative: the right operand must bind tighter.
  const infix =
    (operator: string, binding: number) =>
    (...operands: Piece[]): Piece => {
      const [a, b] = late(operands);
      return piece(`${within(a, binding)} ${operator} ${within(b, binding + 1)}`, binding);
    };
  // Comparisons do not associate at all.
  const compare =
    (operator: string) =>
    (...operands: Piece[]): Piece => {
      const [a, b] = late(operands);
      return piece(`${within(a, additive)} ${operator} ${within(b, additive)}`, comparison);
    };
  return {
    number: (value) => ({ text: `Value(${literal(value)})`, binding: atom, isLiteral: true }),
    input: (name) => piece(safe(name), atom),
    neg: (...operands) => piece(`-${within(late(operands)[0], atom)}`, unary),
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
    select: (condition, a, b) => piece(`select(${b.text}, ${a.text}, ${condition.text})`, atom),
    share: (value, varies) => piece(share(value.text, varies), atom),
  };
}

const flush = [
  "fn flush(x: Value) -> Value {",
  `  return select(x, Value(0), abs(x) < Value(${smallestNormal}));`,
  "}",
  "",
];

/**
 * A variant as a WGSL module with one entry point, `update`.
 *
 * Each workgroup updates one tile of one range of elements. The table says which range, where it begins in each array
 * and whose scalars it takes, so that any number of tensors in the same buffers are one dispatch.
 *
 * @throws {GradstepError} `UNSUPPORTED` for a form that does not exist
 */
export function emitWgsl(variant: Variant, form: Form = usualForm): string {
  const { label, perElement, slots, scalars } = variant;
  const arrays = arraysOf(variant, form);
  if (form.width !== 1 && form.width !== 4) {
    throw new GradstepError(`Got a width of ${String(form.width)}; expected 1 or 4.`, {
      code: "UNSUPPORTED",
    });
  }
  const before: string[] = [];
  const element: string[] = [];
  let count = 0;
  const share = (text: string, varies: boolean): string => {
    count += 1;
    (varies ? element : before).push(`let t${count} = ${text};`);
    return `t${count}`;
  };
  for (const name of scalars) before.push(`let ${safe(name)} = Value(scalars[own].${safe(name)});`);
  const tensors = ["p", "g", ...slots.map(({ name }) => name)];
  const home = (name: string): string => (arrays.includes(name) ? name : "p");
  const place = (name: string): string => `all_${home(name)}[at_${name} + i]`;
  for (const { name, node } of perElement.inputs) {
    if (perElement.nodes[node].varies) element.push(`let ${safe(name)} = ${place(name)};`);
  }
  // All results are in registers before the first store: later ones may read what earlier ones replace.
  const results = emit(perElement, emitter(share)).map(({ name, value }) => {
    const isName = /^\w+$/.test(value.text);
    return { name, text: isName ? value.text : share(value.text, true) };
  });
  element.push(...results.map(({ name, text }) => `${place(name)} = ${text};`));

  const usesFlush = perElement.nodes.some(({ op }) => op === "flush");
  const access = (name: string): string =>
    name === "g" && form.gradients === "apart" ? "read" : "read_write";
  return [
    `// ${label}: updates ${["p", ...slots.map(({ name }) => name)].join(", ")} from g, ${form.width === 4 ? "four values at a time" : "one value at a time"}.`,
    `alias Value = ${form.width === 4 ? "vec4f" : "f32"};`,
    "",
    "struct Scalars {",
    ...(scalars.length === 0 ? ["unused"] : scalars.map(safe)).map(
      (name, i) => `  ${i === 0 ? "@align(16) " : ""}${name}: f32,`,
    ),
    "}",
    "",
    `// The number of tiles; the range of each, as a position in this table; then, for each range: its first tile, the`,
    `// number of its elements, whose scalars it takes, and where it begins in ${tensors.join(", ")}.`,
    `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
    `@group(0) @binding(${scalarsBinding}) var<uniform> scalars: array<Scalars, ${scalarGroups}>;`,
    ...arrays.map(
      (name, i) =>
        `@group(0) @binding(${firstArrayBinding + i}) var<storage, ${access(name)}> all_${name}: array<Value>;`,
    ),
    "",
    ...(usesFlush ? flush : []),
    `@compute @workgroup_size(${workgroupSize})`,
    "fn update(",
    "  @builtin(workgroup_id) group: vec3u,",
    "  @builtin(num_workgroups) groups: vec3u,",
    "  @builtin(local_invocation_index) lane: u32,",
    ") {",
    "  let tile = group.y * groups.x + group.x;",
    "  if (tile >= table[0]) { return; }",
    "  let entry = table[1u + tile];",
    "  let count = table[entry + 1u];",
    "  let own = table[entry + 2u];",
    ...tensors.map((name, k) => `  let at_${name} = table[entry + ${entryHead + k}u];`),
    ...before.map((line) => `  ${line}`),
    `  for (var turn = 0u; turn < ${turns}u; turn++) {`,
    `    let i = ((tile - table[entry]) * ${turns}u + turn) * ${workgroupSize}u + lane;`,
    "    if (i >= count) { return; }",
    ...element.map((line) => `    ${line}`),
    "  }",
    "}",
    "",
  ].join("\n");
}
