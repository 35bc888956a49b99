import { GradstepError, show } from "@gradstep/core";

const quote = 0x22;
const backslash = 0x5c;

/**
 * Reads the JSON of a header from left to right, once: objects, strings, and integers from 0 to 2^53 − 1. `JSON.parse` is
 * not strict enough: it keeps the last of several equal keys, and reads `1.0` and `0.99999999999999999` as 1. There is no
 * recursion: the caller knows what comes next.
 */
export class JsonCursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Skips a character, after white space. */
  expect(character: string): void {
    if (!this.skip(character)) throw this.#unexpected(show(character));
  }

  /** Skips white space, and then a word if it is next. Whether it was. */
  skip(word: string): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  expectEnd(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected("the end of the header");
  }

  /** Whether an object or array, opened just before, or after one of its elements, has another element. */
  hasNext(close: "}" | "]", isFirst: boolean): boolean {
    if (this.skip(close)) return false;
    if (!isFirst) this.expect(",");
    return true;
  }

  /** A string, without surrogates that have no partner. */
  string(): string {
    this.#skipSpace();
    const start = this.#at;
    if (this.#text.charCodeAt(start) !== quote) throw this.#unexpected("a string");
    let hasEscape = false;
    let end = start + 1;
    for (; ; end++) {
      const code = this.#text.charCodeAt(end);
      if (code === quote) break;
      // Beyond the end the code is NaN.
      if (!(code >= 0x20)) throw this.#unexpected("a string of JSON");
      if (code === backslash) {
        hasEscape = true;
        end++;
      }
    }
    const string = hasEscape
      ? this.#unescape(this.#text.slice(start, end + 1))
      : this.#text.slice(start + 1, end);
    this.#at = end + 1;
    return string;
  }

  #unescape(literal: string): string {
    let string: string;
    try {
      string = JSON.parse(literal) as string;
    } catch (cause) {
      throw this.#unexpected("a string of JSON", cause);
    }
    if (/\p{Surrogate}/u.test(string))
      throw this.#unexpected("a string of whole Unicode characters");
    return string;
  }

  /** An integer from 0 to 2^53 − 1, in decimal digits alone. */
  integer(): number {
    this.#skipSpace();
    const start = this.#at;
    let value = 0;
    let end = start;
    for (; ; end++) {
      const digit = this.#text.charCodeAt(end) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      if (value > Number.MAX_SAFE_INTEGER) throw this.#unexpected("an integer up to 2^53 − 1");
    }
    if (end === start || (end > start + 1 && this.#text[start] === "0"))
      throw this.#unexpected("an integer, not negative, without leading zeros");
    this.#at = end;
    return value;
  }

  #skipSpace(): void {
    for (; ; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }

  #unexpected(expected: string, cause?: unknown): GradstepError {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    return new GradstepError(
      `The header has ${rest === "" ? "its end" : show(rest)} at character ${this.#at}; expected ${expected}. The file is damaged, or not a safetensors file.`,
      { code: "INVALID_FILE", cause },
    );
  }
}
