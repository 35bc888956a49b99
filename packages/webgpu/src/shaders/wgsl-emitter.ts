import { emit, type Emitter } from "@gradstep/core";
import { isUniform, type KernelArray, type KernelProgram } from "./kernel-program.js";
import { wgslName } from "./reserved-words.js";

/** An expression. */
interface Expression {
  readonly text: string;
  readonly precedence: number;
  /** Operations on literals alone are constant expressions, which a compiler evaluates and may refuse. */
  readonly isLiteral?: boolean;
  /** The depth of nesting. */
  readonly depth: number;
}

/** Compilers limit the depth of expressions: Tint accepts 512 nested operations, but only 49 nested negations. */
const maxDepth = 32;

const comparison = 1;
const additive = 2;
const multiplicative = 3;
const unary = 4;
const primary = 5;

function expression(
  text: string,
  precedence: number,
  operands: readonly Expression[] = [],
): Expression {
  return { text, precedence, depth: Math.max(0, ...operands.map(({ depth }) => depth + 1)) };
}

function parenthesized({ text, precedence }: Expression, minPrecedence: number): string {
  return precedence < minPrecedence ? `(${text})` : text;
}

/** An f32 literal of a value that is not negative. The largest finite f32 replaces values outside the range. */
function literal(value: number): string {
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return "3.4028234663852886e+38";
  // Digits without a point are an integer literal in WGSL, which is limited to 2⁶³.
  return Math.abs(single) < 2 ** 63 ? String(single) : single.toExponential();
}

/**
 * The WGSL text of each operation. `Value` is vec4f or f32, so that one text serves both.
 *
 * @param declare declares a constant with this value, and returns its name
 */
function wgslEmitter(declare: (text: string, varies: boolean) => string): Emitter<Expression> {
  const named = (a: Expression): Expression => expression(declare(a.text, false), primary);
  // An expression that does not vary is shared already, and so not deep.
  const shallow = (a: Expression): Expression =>
    a.depth < maxDepth ? a : expression(declare(a.text, true), primary);
  /** Ensures that an operand is known only at run time, and that no operand is nested too deeply. */
  const operandsOf = (operands: readonly Expression[]): readonly Expression[] =>
    operands.every(({ isLiteral }) => isLiteral === true)
      ? operands.map(named)
      : operands.map(shallow);
  const call =
    (name: string) =>
    (...all: Expression[]): Expression => {
      const operands = operandsOf(all);
      const text = `${name}(${operands.map((operand) => operand.text).join(", ")})`;
      return expression(text, primary, operands);
    };
  // Left-associative: the right operand needs a higher precedence.
  const infix =
    (operator: string, precedence: number) =>
    (...operands: Expression[]): Expression => {
      const [a, b] = operandsOf(operands);
      const text = `${parenthesized(a, precedence)} ${operator} ${parenthesized(b, precedence + 1)}`;
      return expression(text, precedence, [a, b]);
    };
  // Comparisons are not associative.
  const compare =
    (operator: string) =>
    (...operands: Expression[]): Expression => {
      const [a, b] = operandsOf(operands);
      const text = `${parenthesized(a, additive)} ${operator} ${parenthesized(b, additive)}`;
      return expression(text, comparison, [a, b]);
    };
  return {
    number: (value) => ({ ...expression(`Value(${literal(value)})`, primary), isLiteral: true }),
    input: (name) => expression(wgslName(name), primary),
    neg: (...operands) => {
      const [a] = operandsOf(operands);
      return expression(`-${parenthesized(a, primary)}`, unary, [a]);
    },
    abs: call("abs"),
    sqrt: call("sqrt"),
    sign: call("sign"),
    isFinite: call("isFinite"),
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
      const [a, b] = branches.map(shallow);
      return expression(`select(${b.text}, ${a.text}, ${condition.text})`, primary, [
        condition,
        a,
        b,
      ]);
    },
    share: (value, varies) => expression(declare(value.text, varies), primary),
  };
}

/** The computation of a kernel, as lines of WGSL. */
export interface KernelBody {
  /** Declares the scalars of the step, values per tensor, and what depends only on them. */
  readonly perDispatch: readonly string[];
  /** Loads the values of one element, and computes the new ones. */
  readonly perElement: readonly string[];
  /** The outputs, and the names of their values. */
  readonly results: readonly { readonly name: string; readonly text: string }[];
}

/**
 * Emits the computation of a kernel. All results are computed before the first store, since a store may replace a value
 * that another result depends on.
 *
 * @param load gives the expression for the current value of an array
 * @param loadScalar the same for a scalar, by its index, if scalars are those of an element
 */
export function kernelBodyOf(
  { program, arrays, scalars }: KernelProgram,
  load: (array: KernelArray) => string,
  loadScalar?: (index: number) => string,
): KernelBody {
  const perDispatch: string[] = [];
  const perElement: string[] = [];
  let count = 0;
  const declare = (text: string, varies: boolean): string => {
    count += 1;
    (varies || loadScalar ? perElement : perDispatch).push(`let t${count} = ${text};`);
    return `t${count}`;
  };
  const loaded = (name: string): KernelArray | undefined =>
    arrays.find((array) => array.name === name);
  for (const { name } of program.inputs) {
    if (loaded(name) !== undefined) continue;
    if (loadScalar === undefined)
      perDispatch.push(`let ${wgslName(name)} = Value(scalars[scalar_set].${wgslName(name)});`);
    else perElement.push(`let ${wgslName(name)} = ${loadScalar(scalars.indexOf(name))};`);
  }
  for (const { name } of program.inputs) {
    const array = loaded(name);
    if (array === undefined) continue;
    const lines = isUniform(array) ? perDispatch : perElement;
    lines.push(`let ${wgslName(name)} = ${load(array)};`);
  }
  const results = emit(program, wgslEmitter(declare)).map(({ name, value }) => {
    const isName = /^\w+$/.test(value.text);
    return { name, text: isName ? value.text : declare(value.text, true) };
  });
  return { perDispatch, perElement, results };
}
