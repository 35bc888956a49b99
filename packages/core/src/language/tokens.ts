import type { Position } from "./expression.js";
import { SyntaxFault } from "./syntax-fault.js";

/** A word, number or symbol of a rule's text, or the end of a line or of the text. */
export interface Token {
  readonly kind: "number" | "name" | "symbol" | "end of line" | "end of text";
  readonly text: string;
  readonly at: Position;
}

const lexeme =
  /\/\/[^\n]*|[ \t\r]+|(\n|;)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|<=|>=|==|!=|[-+*/()<>=?:,])/y;

/** Symbols that cannot end an assignment: a line that ends in one goes on in the next. */
const continues = new Set([
  "+",
  "-",
  "*",
  "/",
  "**",
  "<",
  "<=",
  ">",
  ">=",
  "==",
  "!=",
  "=",
  "?",
  ":",
  ",",
  "(",
]);

/** Splits a text into tokens, the last of which is its end. @throws {SyntaxFault} for an unknown character */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let lineStart = 0;
  let depth = 0;
  lexeme.lastIndex = 0;
  while (lexeme.lastIndex < text.length) {
    const start = lexeme.lastIndex;
    const at = { line, column: start - lineStart + 1 };
    const match = lexeme.exec(text);
    if (match === null) throw new SyntaxFault("unknown character", text, at, text[start]);
    const [whole, lineEnd, number, name, symbol] = match;
    if (number !== undefined) tokens.push({ kind: "number", text: number, at });
    else if (name !== undefined) tokens.push({ kind: "name", text: name, at });
    else if (symbol !== undefined) {
      depth += symbol === "(" ? 1 : symbol === ")" ? -1 : 0;
      tokens.push({ kind: "symbol", text: symbol, at });
    } else if (lineEnd !== undefined) {
      const last = tokens.at(-1);
      const continued = depth > 0 || (last !== undefined && continues.has(last.text));
      // A line may continue; a `;` always ends its assignment.
      const ends = whole === ";" || !continued;
      if (ends && last !== undefined && last.kind !== "end of line")
        tokens.push({ kind: "end of line", text: lineEnd, at });
      if (whole === "\n") {
        line += 1;
        lineStart = lexeme.lastIndex;
      }
    }
  }
  tokens.push({ kind: "end of text", text: "", at: { line, column: text.length - lineStart + 1 } });
  return tokens.filter((token, i) => {
    // `? b : c` may stand on the line after its condition.
    const next = tokens[i + 1]?.text;
    return !(token.kind === "end of line" && token.text === "\n" && (next === "?" || next === ":"));
  });
}

/** What messages call a token. */
export function describeToken({ kind, text }: Token): string {
  const isWord = kind === "number" || kind === "name" || kind === "symbol";
  return isWord ? `"${text}"` : `the ${kind}`;
}
