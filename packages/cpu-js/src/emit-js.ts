import {
  emit,
  flushedSlotsOf,
  type Program,
  specialize,
  smallestNormal,
  type Emitter,
  type Variant,
} from "@gradstep/core";

/** The source of an expression and the precedence of its operator, which tells where parentheses are needed. */
interface Piece {
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
function isName({ text }: Piece): boolean {
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
 * @param exact rounds the result of every operation to f32; otherwise temporaries are f64 and only stores round
 * @param share binds a value to a name and returns the name
 */
function emitter(exact: boolean, share: (text: string, varies: boolean) => string): Emitter<Piece> {
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
      const value = isName(a) || isLiteral(a) ? a.text : share(a.text, true);
      return piece(`abs(${value}) < ${smallestNormal} ? 0 : ${value}`, conditional);
    },
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
    share: (value, varies) => piece(share(value.text, varies), atom),
  };
}

/**
 * Names that rules may use and generated code may not: JavaScript's reserved words, and the functions of `Math`. Names
 * that the emitter adds start with `$`; names of arrays end with it.
 */
const keywords =
  /^(?:Infinity|NaN|abs|arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|false|finally|for|fround|function|if|implements|import|in|instanceof|interface|let|max|min|new|null|package|private|protected|public|return|sign|sqrt|static|super|switch|this|throw|true|try|typeof|undefined|var|void|while|with|yield)$/;

/** The JavaScript name for a name of a rule. */
function safe(name: string): string {
  return keywords.test(name) ? `$${name}` : name;
}

/** `updateAdam_amsgrad` */
function functionName({ label }: Variant): string {
  return `update${label.charAt(0).toUpperCase()}${label.slice(1).replace(/\W+/g, "_")}`;
}

/**
 * The source of a variant as one JavaScript function `(p, g, slots, scalars, start, end) => void`, which makes one pass
 * over memory.
 *
 * It uses `fround`, `abs`, `sqrt`, `sign`, `min` and `max` of `Math` as free names; `generate` writes a module that
 * defines them. The caller must flush `flushedSlotsOf(variant.perElement)` first: a branch that is rarely taken would
 * make V8 deoptimize the function when it is first taken, and box numbers from then on.
 */
export function emitJs(variant: Variant, options: { readonly exact: boolean }): string {
  const { slots, scalars } = variant;
  // Slots were flushed before, so their thresholds count as 0.
  const thresholds = flushedSlotsOf(variant.perElement).map(({ threshold }) => threshold);
  const perElement = specialize(
    variant.perElement,
    new Map(thresholds.map((threshold) => [threshold, 0])),
  );
  const before: string[] = [
    ...slots.map(({ name }, i) => `const ${name}$ = $slots[${i}];`),
    ...scalars.flatMap((name, i) =>
      isRead(perElement, name) ? [`const ${safe(name)} = fround($scalars[${i}]);`] : [],
    ),
  ];
  const element: string[] = [];
  let named = 0;
  const share = (text: string, varies: boolean): string => {
    named += 1;
    const name = `$${named}`;
    (varies ? element : before).push(`const ${name} = ${text};`);
    return name;
  };
  for (const { name, node } of perElement.inputs) {
    if (perElement.nodes[node].varies) element.push(`const ${safe(name)} = ${name}$[$i];`);
  }
  const results = emit(perElement, emitter(options.exact, share));
  const stores = results.map(({ name, value }) => {
    // Bound to a name, so that every read comes before the first store.
    const text = isName(value) ? value.text : share(value.text, true);
    return `${name}$[$i] = ${text};`;
  });
  element.push(...stores);
  return [
    `function ${functionName(variant)}(p$, g$, ${slots.length === 0 ? "_" : ""}$slots, $scalars, $start, $end) {`,
    ...indent(before),
    ...indent(loop(element)),
    "}",
  ].join("\n");
}

function isRead({ nodes }: Program, input: string): boolean {
  return nodes.some(({ op, name, uses }) => op === "input" && name === input && uses > 0);
}

/**
 * Two elements per iteration: engines check for interrupts once per iteration, and processors overlap the divisions of
 * both elements. On V8 this takes 0.92× the time for Adam, and 0.85× if every operation is rounded.
 */
function loop(element: readonly string[]): string[] {
  const second = element.map((line) => line.replaceAll("[$i]", "[$i + 1]"));
  return [
    "let $i = $start;",
    "for (; $i < $end - 1; $i += 2) {",
    ...indent(["{", ...indent(element), "}", "{", ...indent(second), "}"]),
    "}",
    "if ($i < $end) {",
    ...indent(element),
    "}",
  ];
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
