import {
  constants,
  functions,
  negation,
  operators,
  type FormulaOperation,
} from "./formula-operations.js";

/** A formula as a tree. */
export type FormulaNode =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "variable"; readonly name: "x" | "y" }
  | {
      readonly kind: "operation";
      readonly operation: FormulaOperation;
      readonly operands: readonly FormulaNode[];
    };

/** What is wrong with a formula, and where. */
export class FormulaError extends Error {
  override readonly name = "FormulaError";
  /** 1 for the first character. */
  readonly column: number;

  constructor(message: string, column: number) {
    super(message);
    this.column = column;
  }
}

interface Token {
  readonly text: string;
  readonly kind: "number" | "name" | "symbol" | "end";
  readonly column: number;
}

/** So that no text exhausts the stack: a sum of n terms is n operations deep. */
const maxDepth = 200;
const maxLength = 2000;

const lexeme = /\s+|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z]\w*)|(\*\*|[-+*/^(),])/y;

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  lexeme.lastIndex = 0;
  while (lexeme.lastIndex < text.length) {
    const column = lexeme.lastIndex + 1;
    const match = lexeme.exec(text);
    if (match === null)
      throw new FormulaError(
        `"${String.fromCodePoint(text.codePointAt(column - 1)!)}" is not part of a formula.`,
        column,
      );
    const [, number, name, symbol] = match;
    if (number !== undefined) tokens.push({ text: number, kind: "number", column });
    if (name !== undefined) tokens.push({ text: name, kind: "name", column });
    if (symbol !== undefined)
      tokens.push({ text: symbol === "^" ? "**" : symbol, kind: "symbol", column });
  }
  tokens.push({ text: "", kind: "end", column: text.length + 1 });
  return tokens;
}

/**
 * Parses a formula of x and y: numbers, `pi`, `e`, `+ - * /`, `^` or `**` (right to left, before a sign: −x² is −(x²)),
 * parentheses and functions.
 * @throws {FormulaError}
 */
export function parseFormulaText(text: string): FormulaNode {
  if (text.length > maxLength)
    throw new FormulaError(`A formula has at most ${maxLength} characters.`, maxLength + 1);
  const tokens = tokenize(text);
  let next = 0;
  let depth = 0;
  const peek = (): Token => tokens[next];
  const fail = (expected: string): never => {
    const { kind, text: got, column } = peek();
    const found = kind === "end" ? "the end" : `"${got}"`;
    throw new FormulaError(`Got ${found}; expected ${expected}.`, column);
  };
  const take = (symbol: string): boolean => {
    if (peek().kind !== "symbol" || peek().text !== symbol) return false;
    next += 1;
    return true;
  };
  const operation = (of: FormulaOperation, ...operands: FormulaNode[]): FormulaNode => ({
    kind: "operation",
    operation: of,
    operands,
  });
  const nested = (inner: () => FormulaNode): FormulaNode => {
    depth += 1;
    if (depth > maxDepth)
      throw new FormulaError("The formula is nested too deeply.", peek().column);
    const node = inner();
    depth -= 1;
    return node;
  };

  function sum(): FormulaNode {
    let left = product();
    for (;;) {
      if (take("+")) left = operation(operators["+"], left, product());
      else if (take("-")) left = operation(operators["-"], left, product());
      else return left;
    }
  }

  function product(): FormulaNode {
    let left = signed();
    for (;;) {
      if (take("*")) left = operation(operators["*"], left, signed());
      else if (take("/")) left = operation(operators["/"], left, signed());
      else return left;
    }
  }

  function signed(): FormulaNode {
    if (take("-")) return operation(negation, nested(signed));
    const base = operand();
    return take("**") ? operation(operators["**"], base, nested(signed)) : base;
  }

  function operand(): FormulaNode {
    const { kind, text: name, column } = peek();
    if (take("(")) {
      const inner = nested(sum);
      if (!take(")")) fail('")"');
      return inner;
    }
    if (kind !== "number" && kind !== "name") return fail('a number, x, y, a function or "("');
    next += 1;
    if (kind === "number") return { kind: "number", value: Number(name) };
    if (name === "x" || name === "y") return { kind: "variable", name };
    if (Object.hasOwn(constants, name)) return { kind: "number", value: constants[name] };
    if (!Object.hasOwn(functions, name))
      throw new FormulaError(
        `"${name}" has no value here; expected x, y, ${[...Object.keys(constants), ...Object.keys(functions)].join(", ")}.`,
        column,
      );
    return call(name);
  }

  function call(name: string): FormulaNode {
    const { [name]: found } = functions;
    if (!take("(")) fail(`"(" after ${name}`);
    const operands = [nested(sum)];
    while (take(",")) operands.push(nested(sum));
    if (operands.length !== found.operands)
      fail(`${found.operands === 1 ? "one value" : "two values"} for ${name}`);
    if (!take(")")) fail(`")" after the values of ${name}`);
    return operation(found, ...operands);
  }

  const root = sum();
  if (peek().kind !== "end") fail("an operator or the end");
  return root;
}
