import {
  arity,
  isComparison,
  type Assignment,
  type Expression,
  type Op,
  type Position,
} from "./expression.js";
import { elementFunctions, functionNames, reductions } from "./functions.js";
import { SyntaxFault, type SyntaxProblem } from "./syntax-fault.js";
import { describeToken, tokenize, type Token } from "./tokens.js";

const comparisons: ReadonlyMap<string, { op: Op; swapped: boolean }> = new Map([
  ["<", { op: "lt", swapped: false }],
  ["<=", { op: "le", swapped: false }],
  [">", { op: "lt", swapped: true }],
  [">=", { op: "le", swapped: true }],
  ["==", { op: "eq", swapped: false }],
  ["!=", { op: "ne", swapped: false }],
] as const);

/** Limits that no rule comes near, and that keep recursion far from the end of the stack. */
const maxDepth = 100;
/** A sum of many terms is a tree as deep as it is long. */
const maxChain = 1000;

/**
 * Parses the text of a rule: assignments `name = expression`, one per line or separated by `;`.
 *
 * Precedence, lowest first: `c ? a : b`, comparisons (`< <= > >= == !=`, not chained), `+ -`, `* /`, unary `-`, `**`
 * (right to left), calls and parentheses. `//` starts a comment. Associativity is that of JavaScript.
 *
 * @throws {SyntaxFault}
 */
export function parse(text: string): readonly Assignment[] {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const assignments = parseTokens(text, tokenize(text));
  if (parsed.size >= maxParsed) parsed.clear();
  parsed.set(text, assignments);
  return assignments;
}

/** Texts with their assignments: the variants of a rule share most of their texts. */
const parsed = new Map<string, readonly Assignment[]>();
const maxParsed = 256;

function parseTokens(text: string, tokens: readonly Token[]): readonly Assignment[] {
  const depths = new Map<Expression, number>();
  let next = 0;
  let depth = 0;

  const peek = (): Token => tokens[next];
  /** @param name what the message mentions in addition */
  const fail = (problem: SyntaxProblem, name = "", token: Token = peek()): never => {
    throw new SyntaxFault(problem, text, token.at, describeToken(token), name);
  };
  const take = (symbol: string): boolean => {
    if (peek().kind !== "symbol" || peek().text !== symbol) return false;
    next += 1;
    return true;
  };
  const expect = (symbol: string, problem: SyntaxProblem, name?: string): void => {
    if (!take(symbol)) fail(problem, name);
  };
  /** Every recursion goes through this, so that no text can exhaust the stack. */
  const nested = (inner: () => Expression): Expression => {
    depth += 1;
    if (depth > maxDepth) throw new SyntaxFault("too deep", text, peek().at, String(maxDepth));
    const expression = inner();
    depth -= 1;
    return expression;
  };
  /** Notes how deep a tree is. */
  const grown = (expression: Expression, operands: readonly Expression[]): Expression => {
    const below = Math.max(...operands.map((operand) => depths.get(operand) ?? 0));
    if (below >= maxChain) throw new SyntaxFault("too long", text, expression.at, String(maxChain));
    depths.set(expression, below + 1);
    return expression;
  };
  const operation = (op: Op, at: Position, ...operands: Expression[]): Expression => {
    operands.forEach((operand, i) => {
      const isCondition = operand.kind === "operation" && isComparison(operand.op);
      const wantsCondition = op === "select" && i === 0;
      if (isCondition && !wantsCondition)
        throw new SyntaxFault("comparison as a value", text, operand.at);
      if (!isCondition && wantsCondition)
        throw new SyntaxFault("condition without a comparison", text, operand.at);
    });
    return grown({ kind: "operation", op, operands, at }, operands);
  };

  function conditional(): Expression {
    const condition = comparison();
    const at = peek().at;
    if (!take("?")) return condition;
    const whenTrue = nested(conditional);
    expect(":", "expected :");
    return operation("select", at, condition, whenTrue, nested(conditional));
  }

  function comparison(): Expression {
    const left = additive();
    const { at, text: symbol } = peek();
    const found = comparisons.get(symbol);
    if (found === undefined) return left;
    next += 1;
    const right = additive();
    return found.swapped
      ? operation(found.op, at, right, left)
      : operation(found.op, at, left, right);
  }

  function additive(): Expression {
    let left = multiplicative();
    for (;;) {
      const at = peek().at;
      if (take("+")) left = operation("add", at, left, multiplicative());
      else if (take("-")) left = operation("sub", at, left, multiplicative());
      else return left;
    }
  }

  function multiplicative(): Expression {
    let left = unary();
    for (;;) {
      const at = peek().at;
      if (take("*")) left = operation("mul", at, left, unary());
      else if (take("/")) left = operation("div", at, left, unary());
      else return left;
    }
  }

  function unary(): Expression {
    const at = peek().at;
    return take("-") ? operation("neg", at, nested(unary)) : power();
  }

  function power(): Expression {
    const base = primary();
    const at = peek().at;
    return take("**") ? operation("pow", at, base, nested(unary)) : base;
  }

  function primary(): Expression {
    const token = peek();
    const { at } = token;
    if (take("(")) {
      const inner = nested(conditional);
      expect(")", "expected ) of a group");
      return inner;
    }
    if (token.kind === "number") {
      next += 1;
      return { kind: "number", value: Number(token.text), at };
    }
    if (token.kind !== "name") fail("expected an operand");
    next += 1;
    if (!take("(")) return { kind: "name", name: token.text, at };
    return call(token);
  }

  function call(token: Token): Expression {
    const { text: name, at } = token;
    const op = elementFunctions.get(name);
    if (!functionNames.has(name)) return fail("expected a function", "", token);
    const operands = [nested(conditional)];
    while (take(",")) operands.push(nested(conditional));
    expect(")", "expected ) of a call", name);
    const expected = op === undefined ? (reductions.has(name) ? 1 : 4) : arity[op];
    if (operands.length !== expected) {
      const counts = [String(operands.length), String(expected)];
      throw new SyntaxFault("number of arguments", text, at, name, ...counts);
    }
    if (op !== undefined) return operation(op, at, ...operands);
    const comparison = operands.find((one) => one.kind === "operation" && isComparison(one.op));
    if (comparison !== undefined)
      throw new SyntaxFault("comparison as a value", text, comparison.at);
    return grown({ kind: "tensor", name, operands, at }, operands);
  }

  const assignments: Assignment[] = [];
  while (peek().kind !== "end of text") {
    const target = peek();
    if (target.kind === "end of line") {
      next += 1;
      continue;
    }
    if (target.kind !== "name") fail("expected a target");
    if (functionNames.has(target.text)) fail("expected another target");
    next += 1;
    expect("=", "expected =", target.text);
    const value = conditional();
    if (value.kind === "operation" && isComparison(value.op)) {
      throw new SyntaxFault("comparison as a value", text, value.at);
    }
    if (peek().kind !== "end of line" && peek().kind !== "end of text")
      fail("expected the end of the line");
    assignments.push({ name: target.text, value, at: target.at });
  }
  return assignments;
}
