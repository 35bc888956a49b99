import {
  smallestNormal,
  type Emitter,
  type Extent,
  type Program,
  type Variant,
} from "@gradstep/core";

/** The source of an expression and the precedence of its operator, which tells where parentheses are needed. */
export interface Piece {
  readonly text: string;
  readonly binding: number;
}

const conditional = 0;
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

/** Whether the source can be repeated at no cost. */
export function isName({ text }: Piece): boolean {
  return /^[\w$]+$/.test(text);
}

function isLiteral({ text }: Piece): boolean {
  return Number.isFinite(Number(text));
}

function call(name: string, ...operands: Piece[]): Piece {
  return piece(`${name}(${operands.map(({ text }) => text).join(", ")})`, atom);
}

/** A left-associative operator, whose right operand needs a higher precedence. */
function infix(operator: string, binding: number): (a: Piece, b: Piece) => Piece {
  return (a, b) => piece(`${within(a, binding)} ${operator} ${within(b, binding + 1)}`, binding);
}

/**
 * Translates operations to JavaScript.
 *
 * @param options `exact` rounds the result of every operation to f32; otherwise temporaries are f64 and only stores round
 * @param share binds a value, given with its extent, to a name and returns the name
 */
export function jsEmitter(
  { exact }: { readonly exact: boolean },
  share: (text: string, varies: boolean, extent: Extent) => string,
): Emitter<Piece> {
  const rounded =
    (operation: (...operands: Piece[]) => Piece) =>
    (...operands: Piece[]): Piece =>
      exact ? call("fround", operation(...operands)) : operation(...operands);
  const compare = (operator: string): ((a: Piece, b: Piece) => Piece) =>
    infix(operator, comparison);
  return {
    number: (value) => {
      const text = String(exact ? Math.fround(value) : value);
      return piece(text, value < 0 ? unary : atom);
    },
    input: (name) => piece(safe(name), atom),
    neg: (a) => piece(`-${within(a, atom)}`, unary),
    abs: (a) => call("abs", a),
    sqrt: rounded((a) => call("sqrt", a)),
    sign: (a) => call("sign", a),
    flush: (a) => {
      const value = isName(a) || isLiteral(a) ? a.text : share(a.text, true, "element");
      return piece(`abs(${value}) < ${smallestNormal} ? 0 : ${value}`, conditional);
    },
    isFinite: (a) => piece(`isFinite(${a.text}) ? 1 : 0`, conditional),
    add: rounded(infix("+", additive)),
    sub: rounded(infix("-", additive)),
    mul: rounded(infix("*", multiplicative)),
    div: rounded(infix("/", multiplicative)),
    min: (a, b) => call("min", a, b),
    max: (a, b) => call("max", a, b),
    lt: compare("<"),
    le: compare("<="),
    eq: compare("==="),
    ne: compare("!=="),
    select: (c, a, b) =>
      piece(
        `${within(c, comparison)} ? ${within(a, comparison)} : ${within(b, conditional)}`,
        conditional,
      ),
    share: (value, varies, extent) => piece(share(value.text, varies, extent), atom),
  };
}

/**
 * Names that rules may use and generated code may not: JavaScript's reserved words, and the functions of `Math`. Names
 * that the emitter adds start with `$`; names of arrays end with it.
 */
const keywords =
  /^(?:Infinity|NaN|abs|arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|false|finally|floor|for|fround|function|if|implements|import|in|instanceof|interface|isFinite|let|max|min|new|null|package|private|protected|public|return|sign|sqrt|static|super|switch|this|throw|true|try|typeof|undefined|var|void|while|with|yield)$/;

/** The JavaScript name for a name of a rule, or of a temporary: `@sum0` → `$sum0`. */
export function safe(name: string): string {
  if (name.startsWith("@")) return `$${name.slice(1)}`;
  return keywords.test(name) ? `$${name}` : name;
}

/** `updateAdam_amsgrad` */
export function functionName({ label }: Variant): string {
  return `update${label.charAt(0).toUpperCase()}${label.slice(1).replace(/\W+/g, "_")}`;
}

/** Whether a program reads an input: specializing it may have made it useless. */
export function isRead({ nodes }: Program, input: string): boolean {
  return nodes.some(({ op, name, uses }) => op === "input" && name === input && uses > 0);
}

/**
 * Several elements per iteration: engines check for interrupts once per iteration, and processors overlap the divisions
 * of several elements. On V8, SGD takes 0.75× the time with four of that with two, Adam 0.9×; long programs gain nothing.
 *
 * @param element the lines for one element: `$i` is its index, `$j` its index counted from `$start`
 * @param unrolled how many elements an iteration updates
 */
export function loop(element: readonly string[], unrolled: number): string[] {
  const blocks = Array.from({ length: unrolled }, (_, k) => [
    "{",
    ...indent(k === 0 ? element : element.map((line) => atOffset(line, k))),
    "}",
  ]);
  const counts = usesOperands(element);
  const advance = (count: number): string =>
    counts ? `$i += ${count}, $j += ${count}` : `$i += ${count}`;
  return [
    "let $i = $start;",
    ...(counts ? ["let $j = 0;"] : []),
    `for (; $i < $end - ${unrolled - 1}; ${advance(unrolled)}) {`,
    ...indent(blocks.flat()),
    "}",
    ...(unrolled === 2 ? ["if ($i < $end) {"] : [`for (; $i < $end; ${advance(1)}) {`]),
    ...indent(element),
    "}",
  ];
}

/** A line for the element that is `k` elements after `$i`. */
function atOffset(line: string, k: number): string {
  return line.replaceAll("[$i", `[$i + ${k}`).replaceAll("[$j]", `[$j + ${k}]`);
}

/** Whether lines for one element use `$j`. */
export function usesOperands(element: readonly string[]): boolean {
  return element.some((line) => line.includes("[$j]"));
}

export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
