// Evaluates LaTeX as a reader would: MathJax finds the structure, and the usual precedence does the rest.
import { liteAdaptor } from "mathjax-full/js/adaptors/liteAdaptor.js";
import { STATE } from "mathjax-full/js/core/MathItem.js";
import type { MmlNode } from "mathjax-full/js/core/MmlTree/MmlNode.js";
import { RegisterHTMLHandler } from "mathjax-full/js/handlers/html.js";
import { TeX } from "mathjax-full/js/input/tex.js";
import "mathjax-full/js/input/tex/ams/AmsConfiguration.js";
import { mathjax } from "mathjax-full/js/mathjax.js";

RegisterHTMLHandler(liteAdaptor());
const document = mathjax.document("", { InputJax: new TeX({ packages: ["base", "ams"] }) });

/** The tree of a formula. @throws for LaTeX that MathJax refuses */
export function treeOf(latex: string): MmlNode {
  const tree = document.convert(latex, { display: true, end: STATE.CONVERT }) as MmlNode;
  tree.walkTree((node) => {
    if (node.kind === "merror") throw new Error(`${latex}: ${textOf(node as MmlNode)}`);
  });
  return tree;
}

function textOf(node: MmlNode): string {
  if (node.kind === "text") return (node as unknown as { getText(): string }).getText();
  return childrenOf(node).map(textOf).join("");
}

function childrenOf(node: MmlNode): readonly MmlNode[] {
  return (node.childNodes ?? []) as MmlNode[];
}

const groups = new Set(["math", "mrow", "inferredMrow", "TeXAtom", "mstyle", "mpadded"]);

/** The elements of a row: groups without parentheses are nothing but their elements. */
function elementsOf(node: MmlNode): readonly MmlNode[] {
  if (!groups.has(node.kind)) return node.kind === "mspace" ? [] : [node];
  if (node.kind === "mrow" && isFenced(node)) return [node];
  return childrenOf(node).flatMap(elementsOf);
}

function isFenced(node: MmlNode): boolean {
  return fencesOf(node)[0] !== "";
}

function fencesOf(node: MmlNode): readonly [string, string] {
  const [open, close] = ["open", "close"].map((name) => node.getProperty(name) as string);
  return [open ?? "", close ?? ""];
}

/** What identifies a symbol: its letters with what is above and below. */
export function keyOf(node: MmlNode): string {
  const own = node.kind === "text" ? textOf(node) : "";
  const inner = childrenOf(node).map(keyOf).join(",");
  return groups.has(node.kind) || node.kind === "text" ? own + inner : `${node.kind}(${inner})`;
}

/** The value of a formula. @param values of symbols, by `keyOf` */
export function valueOfLatex(latex: string, values: ReadonlyMap<string, number>): number {
  return valueOfRow(elementsOf(treeOf(latex)), values);
}

type Values = ReadonlyMap<string, number>;

function valueOfRow(elements: readonly MmlNode[], values: Values): number {
  let next = 0;
  const operator = (): string | undefined =>
    elements[next]?.kind === "mo" ? textOf(elements[next]) : undefined;
  const take = (...symbols: string[]): string | undefined => {
    const found = operator();
    if (found === undefined || !symbols.includes(found)) return undefined;
    next += 1;
    return found;
  };

  function sum(): number {
    let total = take("−", "-") === undefined ? product() : -product();
    for (;;) {
      const sign = take("+", "−", "-");
      if (sign === undefined) return total;
      total = sign === "+" ? total + product() : total - product();
    }
  }

  function product(): number {
    let result = factor();
    for (;;) {
      take("⋅", "\u2062");
      const times = take("×");
      const isEnd = elements[next] === undefined || ["+", "−", "-"].includes(operator() ?? "");
      if (isEnd) return result;
      // A power of ten belongs to its digits.
      result = times === undefined ? result * factor() : Number(`${result}e${exponent()}`);
    }
  }

  function exponent(): number {
    const [, power] = childrenOf(elements[next]);
    next += 1;
    return valueOfRow(elementsOf(power), values);
  }

  function factor(): number {
    const node = elements[next];
    if (node === undefined) throw new Error("expected a factor");
    next += 1;
    const base = functionOf(node);
    if (base === undefined) return valueOfElement(node, values);
    take("\u2061");
    if (base === "∑") return product();
    const argument = elements[next];
    next += 1;
    return applied(
      base,
      argumentsOf(argument).map((one) => valueOfRow(one, values)),
    );
  }

  const value = sum();
  if (next !== elements.length) throw new Error(`expected an end before ${keyOf(elements[next])}`);
  return value;
}

const functions = new Set([
  "sign",
  "flush",
  "isFinite",
  "fl",
  "min",
  "max",
  "mean",
  "cos",
  "log",
  "∑",
]);

/** The name of a function, without what is below it. */
function functionOf(node: MmlNode): string | undefined {
  const base = ["msub", "munder"].includes(node.kind) ? childrenOf(node)[0] : node;
  const name = textOf(base);
  const isName = elementsOf(base).every(({ kind }) => kind === "mi" || kind === "mo");
  return isName && functions.has(name) ? name : undefined;
}

function applied(name: string, operands: readonly number[]): number {
  const [a] = operands;
  if (name === "sign") return Math.sign(a);
  if (name === "isFinite") return Number.isFinite(a) ? 1 : 0;
  if (name === "cos") return Math.cos(a);
  if (name === "log") return Math.log(a);
  if (name === "fl") return Math.fround(a);
  if (name === "min") return Math.min(...operands);
  if (name === "max") return Math.max(...operands);
  return a;
}

/** What stands between parentheses, by commas. */
function argumentsOf(node: MmlNode): readonly (readonly MmlNode[])[] {
  if (node === undefined || fencesOf(node)[0] !== "(") throw new Error("expected arguments");
  const all: MmlNode[][] = [[]];
  for (const one of inside(node))
    if (one.kind === "mo" && textOf(one) === ",") all.push([]);
    else all.at(-1)!.push(one);
  return all;
}

function inside(node: MmlNode): readonly MmlNode[] {
  return childrenOf(node).flatMap(elementsOf).slice(1, -1);
}

function valueOfElement(node: MmlNode, values: Values): number {
  const known = values.get(keyOf(node));
  if (known !== undefined) return known;
  const [first, second, third] = childrenOf(node);
  const row = (one: MmlNode): number => valueOfRow(elementsOf(one), values);
  switch (node.kind) {
    case "mn":
      return Number(textOf(node));
    case "mfrac":
      return row(first) / row(second);
    case "msqrt":
      return Math.sqrt(row(first));
    case "msup":
      // The transpose of a matrix with one element is the matrix.
      return textOf(second) === "T" ? row(first) : row(first) ** row(second);
    case "msub":
      return row(first);
    case "msubsup":
      return textOf(third) === "T"
        ? valueOfSymbol(first, second, values)
        : valueOfSymbol(first, second, values) ** row(third);
    case "mrow":
      return valueOfFenced(node, values);
    default:
      throw new Error(`${keyOf(node)} has no value`);
  }
}

function valueOfSymbol(base: MmlNode, subscript: MmlNode, values: Values): number {
  const key = `msub(${keyOf(base)},${keyOf(subscript)})`;
  const known = values.get(key);
  if (known !== undefined) return known;
  // ‖x‖ of rows, squared.
  return valueOfRow(elementsOf(base), values);
}

function valueOfFenced(node: MmlNode, values: Values): number {
  const [open] = fencesOf(node);
  if (open === "{") return valueOfCases(inside(node)[0], values);
  const value = valueOfRow(inside(node), values);
  if (open === "|" || open === "‖" || open === "∥") return Math.abs(value);
  if (open === "⌊") return Math.floor(value);
  return value;
}

function valueOfCases(table: MmlNode, values: Values): number {
  for (const line of childrenOf(table)) {
    const [result, condition] = childrenOf(line).map((cell) =>
      childrenOf(cell).flatMap(elementsOf),
    );
    if (holds(condition, values)) return valueOfRow(result, values);
  }
  throw new Error("no case holds");
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "≤": (a, b) => a <= b,
  "≥": (a, b) => a >= b,
  "=": (a, b) => a === b,
  "≠": (a, b) => a !== b,
};

function holds([word, ...rest]: readonly MmlNode[], values: Values): boolean {
  if (textOf(word).trim() === "otherwise") return true;
  const and = rest.findIndex((one) => one.kind === "mtext" && textOf(one).includes("and"));
  if (and >= 0)
    return (
      holds([word, ...rest.slice(0, and)], values) && holds([word, ...rest.slice(and + 1)], values)
    );
  const at = rest.findIndex((one) => one.kind === "mo" && textOf(one) in comparisons);
  const [left, right] = [rest.slice(0, at), rest.slice(at + 1)].map((one) =>
    valueOfRow(one, values),
  );
  return comparisons[textOf(rest[at])](left, right);
}
