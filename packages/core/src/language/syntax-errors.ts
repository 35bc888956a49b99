import { didYouMean } from "../argument-checks/did-you-mean.js";
import { GradstepError, list } from "../errors.js";
import { functionNames } from "./functions.js";
import { SyntaxFault, type SyntaxProblem } from "./syntax-fault.js";

type Message = (...details: string[]) => string;

function describeExtent(extent: string): string {
  return extent === "step" || extent === "all"
    ? "one value for all tensors"
    : `one value per ${extent}`;
}

/** As a sentence after a message, which has no full stop. */
function suggestion(name: string, known: Iterable<string>): string {
  const question = didYouMean(name, known);
  return question === "" ? "" : `.${question}`;
}

/** What the language has in place of what JavaScript or Python has, as a sentence after a message. */
const remedies: Readonly<Record<string, string>> = {
  ".": "Functions have no prefix: sqrt(x), not Math.sqrt(x)",
  "&": "In place of a && b ? x : y, write a ? (b ? x : y) : y",
  "|": "In place of a || b ? x : y, write a ? x : (b ? x : y)",
  "^": "Write x * x; in perStep, x ** 2",
  "#": 'A comment begins with "//"',
  let: "Assign without a keyword: a = g",
  const: "Assign without a keyword: a = g",
  var: "Assign without a keyword: a = g",
  if: "In place of if, write u = condition ? x : y",
  return: "Assign the update: u = …",
  exp: "Only perStep has a power: x ** y",
  log: "The language has no logarithm",
  pow: "Write x * x; in perStep, x ** y",
  t: "The step number is for perStep: compute there what depends on it, and use that name here",
};

function remedyOf(what: string): string {
  return Object.hasOwn(remedies, what) ? `. ${remedies[what]}` : "";
}

/** For problems "expected …", the first detail is what was found. */
const messages: Readonly<Record<SyntaxProblem, Message>> = {
  "unknown character": (character) =>
    `"${character}" is not part of the rule language${remedyOf(character)}`,
  "expected an operand": (got) => `Got ${got}; expected a number, a name or "("`,
  "expected a function": (got) =>
    `Got ${got}; expected one of ${list(functionNames)} before "("${suggestion(got, functionNames)}${remedyOf(got.slice(1, -1))}`,
  "expected a target": (got) => `Got ${got}; expected the name that is assigned to`,
  "expected another target": (got) => `Got ${got}; expected a name that is not an operation`,
  "expected =": (got, name) =>
    `Got ${got}; expected "=" after ${name}${/^"[-+*/]"$/.test(got) ? `. In place of ${name} ${got[1]}= x, write ${name} = ${name} ${got[1]} x` : remedyOf(name)}`,
  "expected :": (got) => `Got ${got}; expected ":" after the first branch of "?"`,
  "expected ) of a group": (got) => `Got ${got}; expected ")" to close the parenthesis`,
  "expected ) of a call": (got, name) => `Got ${got}; expected ")" after the arguments of ${name}`,
  "expected the end of the line": (got) =>
    `Got ${got}; expected an operator or the end of the line`,
  "too deep": (limit) => `Nested more than ${limit} deep; give a part of it a name`,
  "too long": (limit) => `A chain of more than ${limit} operations; give a part of it a name`,
  "comparison as a value": () => 'A comparison can only stand before "?"',
  "condition without a comparison": () => 'Expected a comparison before "?"',
  "number of arguments": (name, count, expected) =>
    `${name} got ${count} arguments; expected ${expected}`,
  "unknown name": (name, ...known) =>
    `"${name}" has no value here; known names: ${list(known)}${suggestion(name, known)}${remedyOf(name)}${["p", "g", "u"].includes(name) && !known.includes("g") ? ". What depends on elements is for perElement" : ""}`,
  "host operation": (operation) =>
    `"${operation}" is for scalars: compute it in perStep and use its name here`,
  "reduction on the host": (name) => `${name} is for tensors: use it in perElement`,
  "nothing to reduce": (name, extent) =>
    `${name} got ${describeExtent(extent)}; expected more values to work on`,
  "computed coefficient": () =>
    "newtonSchulz got a coefficient that is computed here; expected numbers or names of scalars",
  "too many values": (name, extent, got) =>
    `"${name}" has ${describeExtent(extent)}, but got ${describeExtent(got)}; reduce them, with mean${extent[0].toUpperCase()}${extent.slice(1)} for example`,
  "assigned scalar": (name) => `"${name}" is a scalar and cannot be assigned to here`,
  "unused name": (name) => `"${name}" is assigned and never used`,
};

/**
 * The result of an action that parses a rule.
 * @throws {GradstepError} `RULE_SYNTAX` in place of a `SyntaxFault`; quotes the line and points at the column
 */
export function explained<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    const { problem, text, at, details } = error;
    const line = text.split("\n")[at.line - 1] ?? "";
    throw new GradstepError(
      `${messages[problem](...details)} (line ${at.line}, column ${at.column})\n  ${line}\n  ${" ".repeat(at.column - 1)}^`,
      { code: "RULE_SYNTAX", position: { text, line: at.line, column: at.column } },
    );
  }
}
