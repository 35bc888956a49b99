import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cases } from "../../../testing/cases.js";
import { GradstepError } from "../src/errors.js";
import type { Assignment, Expression } from "../src/language/expression.js";
import { parse as parseText } from "../src/language/parse.js";
import { explained } from "../src/language/syntax-errors.js";
import { print, trees } from "./language.js";
import { codeOf, failureOf } from "./support.js";

/** Parses as `defineRule` does, with messages. */
function parse(text: string): readonly Assignment[] {
  return explained(() => parseText(text));
}

/** An expression with parentheses around every operation. */
function explicit(expression: Expression): string {
  if (expression.kind === "number") return String(expression.value);
  if (expression.kind === "name") return expression.name;
  if (expression.kind !== "operation") throw new Error("expected an operation");
  return `(${[expression.op, ...expression.operands.map(explicit)].join(" ")})`;
}

function read(text: string): string {
  const assignments = parse(text);
  return assignments.map(({ name, value }) => `${name} = ${explicit(value)}`).join("; ");
}

/** "parsed", or the code of the error. Anything but a GradstepError is thrown. */
function outcome(text: string): string {
  try {
    parse(text);
    return "parsed";
  } catch (error) {
    if (error instanceof GradstepError) return error.code;
    throw error;
  }
}

/** The expression without its positions. */
function bare(expression: Expression): unknown {
  const { at: _, ...rest } = expression;
  return rest.kind === "operation" ? { ...rest, operands: rest.operands.map(bare) } : rest;
}

describe("precedence and associativity", () => {
  test.each([
    ["a - b - c", "(sub (sub a b) c)"],
    ["a / b / c", "(div (div a b) c)"],
    ["a / b * c", "(mul (div a b) c)"],
    ["a - b * c", "(sub a (mul b c))"],
    ["(a - b) * c", "(mul (sub a b) c)"],
    ["-a * b", "(mul (neg a) b)"],
    ["a * -b", "(mul a (neg b))"],
    ["- -a", "(neg (neg a))"],
    ["a ** b ** c", "(pow a (pow b c))"],
    ["-a ** b", "(neg (pow a b))"],
    ["a ** -b", "(pow a (neg b))"],
    ["a ** b * c", "(mul (pow a b) c)"],
    ["a + b < c * d ? e : f", "(select (lt (add a b) (mul c d)) e f)"],
    ["a > b ? c : d", "(select (lt b a) c d)"],
    ["a >= b ? c : d", "(select (le b a) c d)"],
    ["a <= b ? c : d", "(select (le a b) c d)"],
    ["a == b ? c : d", "(select (eq a b) c d)"],
    ["a != b ? c : d", "(select (ne a b) c d)"],
    ["(a < b) ? c : d", "(select (lt a b) c d)"],
    ["a < b ? c : d < e ? f : g", "(select (lt a b) c (select (lt d e) f g))"],
    ["a < b ? c < d ? e : f : g", "(select (lt a b) (select (lt c d) e f) g)"],
    ["(a < b ? c : d) + e", "(add (select (lt a b) c d) e)"],
    ["max(a + b, min(c, d)) * sqrt(abs(e))", "(mul (max (add a b) (min c d)) (sqrt (abs e)))"],
    ["isFinite(a * b)", "(isFinite (mul a b))"],
    ["sign(flush(f32(a)))", "(sign (flush (f32 a)))"],
  ])("%s", (text, expected) => {
    expect(read(`x = ${text}`)).toBe(`x = ${expected}`);
  });

  test.each([
    ["1", 1],
    ["0.5", 0.5],
    [".5", 0.5],
    ["5.", 5],
    ["1e-7", 1e-7],
    ["1E+3", 1000],
    ["2.5e3", 2500],
  ])("the number %s", (text, value) => {
    expect(parse(`x = ${text}`)[0].value).toMatchObject({ kind: "number", value });
  });
});

describe("lines", () => {
  test.each([
    ["a line each", "x = a\ny = b", "x = a; y = b"],
    ["empty lines", "\n\nx = a\n\n\ny = b\n", "x = a; y = b"],
    ["semicolons", "x = a; y = b;", "x = a; y = b"],
    ["several semicolons", ";;x = a;;\n;y = b", "x = a; y = b"],
    ["comments", "// first\nx = a // a = 3\n// y = 4\ny = b //", "x = a; y = b"],
    ["a comment inside of an expression", "x = a + // one\n b", "x = (add a b)"],
    ["carriage returns and tabs", "x\t=\ta\r\ny = b\r\n", "x = a; y = b"],
    ["an operator at the end", "x = a +\n\n b", "x = (add a b)"],
    ["an assignment at the end", "x =\n a", "x = a"],
    ["open parentheses", "x = (a\n + b\n)\ny = max(a\n, b)", "x = (add a b); y = (max a b)"],
    ["a ternary over lines", "x = a < b\n  ? c\n  : d\ny = e", "x = (select (lt a b) c d); y = e"],
    [
      "a ternary over lines with comments between",
      "x = a < b // small\n\n  ? c // yes\n // no:\n  : d",
      "x = (select (lt a b) c d)",
    ],
    [
      "a ternary with its symbols at the ends",
      "x = a < b ?\n c :\n d",
      "x = (select (lt a b) c d)",
    ],
    ["nothing", "", ""],
    ["nothing but a comment", " // nothing", ""],
  ])("%s", (_, text, expected) => {
    expect(read(text)).toBe(expected);
  });
});

describe("errors point at the position", () => {
  test.each([
    ["x = ", 1, 5],
    ["x = a b", 1, 7],
    ["x = 1a", 1, 6],
    ["x = 1..2", 1, 7],
    ["x = a +* b", 1, 8],
    ["x = (a", 1, 7],
    ["x = a)", 1, 6],
    ["x = ()", 1, 6],
    ["x = a @ b", 1, 7],
    ["x = a\ny = b %", 2, 7],
    ["x = a\n\n  y b", 3, 5],
    ["x = a\n  + b", 2, 3],
    ["= a", 1, 1],
    ["1 = a", 1, 1],
    ["x == a", 1, 3],
    ["x = y = a", 1, 7],
    ["max = a", 1, 1],
    ["x = max(a)", 1, 5],
    ["x = sqrt(a, b)", 1, 5],
    ["x = sqrt()", 1, 10],
    ["x = exp(a)", 1, 5],
    ["x = a ? b : c", 1, 5],
    ["x = a < b", 1, 7],
    ["x = a < b < c ? d : e", 1, 7],
    ["x = (a < b) + c", 1, 8],
    ["x = -(a < b)", 1, 9],
    ["x = max(a < b, c)", 1, 11],
    ["x = a < b ? c < d : e", 1, 15],
    ["x = a < b ? c", 1, 14],
    ["x = a < b : c", 1, 7],
    // A semicolon always ends an assignment.
    ["x = a +; b", 1, 8],
    ["x = (a; b)", 1, 7],
    ["x = max(a;, b)", 1, 10],
    ["x = a;\n? b : c", 2, 1],
    ['x = "a"', 1, 5],
    ["x = a\u00a0+ b", 1, 6],
    ["x = a && b", 1, 7],
    ["x = !a", 1, 5],
    ["x += a", 1, 3],
  ])("%j", (text, line, column) => {
    const { code, message } = failureOf(() => parse(text));
    expect(code).toBe("RULE_SYNTAX");
    expect(message).toContain(`(line ${line}, column ${column})`);
    const [, quoted, caret] = message.split("\n");
    expect(quoted).toBe(`  ${text.split("\n")[line - 1]}`);
    expect(caret.indexOf("^")).toBe(column + 1);
  });
});

describe("properties", () => {
  test("a printed tree is parsed as the same tree", () => {
    fc.assert(
      fc.property(trees(["a", "b", "x1", "_y"], { onHost: true, depth: 6 }), (tree) => {
        const [{ value }] = parse(`x = ${print(tree)}`);
        expect(bare(value)).toEqual(tree);
      }),
      { numRuns: cases(10_000, 200) },
    );
  });

  test("every text parses or fails with RULE_SYNTAX", () => {
    const words = fc.constantFrom(
      ..."a p = + - * / ** ( ) < <= > >= == != ? : , ; 1 .5 2e3 max sqrt f32 // \n".split(" "),
      "\n",
      " ",
      "constructor",
      "__proto__",
    );
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.array(words, { maxLength: 40 }).map((list) => list.join(" ")),
      fc.array(words, { maxLength: 40 }).map((list) => `x = a ${list.join("")}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(["parsed", "RULE_SYNTAX"]).toContain(outcome(text));
      }),
      { numRuns: cases(20_000, 50) },
    );
  });
});

describe("no text exhausts the stack or takes long", () => {
  const deep = 10_000;
  test.each([
    ["parentheses", `x = ${"(".repeat(deep)}a${")".repeat(deep)}`],
    ["opening parentheses", `x = ${"(".repeat(deep)}`],
    ["closing parentheses", `x = a${")".repeat(deep)}`],
    ["signs", `x = ${"-".repeat(deep)}a`],
    ["powers", `x = ${"a ** ".repeat(deep)}a`],
    ["calls", `x = ${"abs(".repeat(deep)}a${")".repeat(deep)}`],
    ["ternaries to the right", `x = ${"a < b ? c : ".repeat(deep)}d`],
    ["ternaries in the middle", `x = ${"a < b ? ".repeat(deep)}d`],
    ["a sum", `x = ${"a + ".repeat(deep)}a`],
    ["a product", `x = ${"a * ".repeat(deep)}a`],
    [
      "sums inside of sums",
      `x = ${"(".repeat(90)}a${` + a + a + a + a + a + a + a + a + a + a + a + a)`.repeat(90)}`,
    ],
  ])("%s", (_, text) => {
    expect(codeOf(() => parse(text))).toBe("RULE_SYNTAX");
  });

  test("twenty thousand lines are parsed", () => {
    expect(parse("x = a + b // c\n".repeat(20_000))).toHaveLength(20_000);
  });

  test("a sum of a thousand terms is parsed, and one of a thousand and two is not", () => {
    expect(parse(`x = ${"a + ".repeat(1000)}a`)).toHaveLength(1);
    expect(codeOf(() => parse(`x = ${"a + ".repeat(1001)}a`))).toBe("RULE_SYNTAX");
  });

  test("a hundred parentheses are parsed, and one more is not", () => {
    const inside = (count: number): string => `x = ${"(".repeat(count)}a${")".repeat(count)}`;
    expect(read(inside(100))).toBe("x = a");
    expect(codeOf(() => parse(inside(101)))).toBe("RULE_SYNTAX");
  });
});
