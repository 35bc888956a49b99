type Query = Readonly<Record<string, string | undefined>>;

/** What a query string says, and a sentence about each of its values that cannot be used. */
export interface ReadQuery<T> {
  readonly state: T;
  readonly problems: readonly string[];
}

/** Reads values of a query string. Those that cannot be used are as if they were missing, and are reported. */
export class QueryReader {
  readonly problems: string[] = [];
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  /**
   * The value of a name, or `initial` where the query has none that `parse` can use.
   * @param parse gives undefined for, or throws at, a text that cannot be used
   */
  read<T>(name: string, initial: T, parse: (text: string) => T | undefined): T {
    const text = Object.hasOwn(this.#query, name) ? this.#query[name] : undefined;
    if (text === undefined) return initial;
    try {
      const value = parse(text);
      if (value !== undefined) return value;
    } catch {
      // Reported below.
    }
    this.report(name, text);
    return initial;
  }

  /** One of some words. */
  choice<T extends string>(name: string, initial: T, choices: readonly T[]): T {
    return this.read(name, initial, (text) => choices.find((one) => one === text));
  }

  /** A number from `min` to `max`. */
  number(name: string, initial: number, min: number, max: number): number {
    return this.read(name, initial, (text) => {
      const [value] = numbersOf(text, 1) ?? [];
      return value >= min && value <= max ? value : undefined;
    });
  }

  /** A whole number from `min` to `max`. */
  integer(name: string, initial: number, min: number, max: number): number {
    return this.read(name, initial, (text) => {
      const [value] = numbersOf(text, 1) ?? [];
      return Number.isInteger(value) && value >= min && value <= max ? value : undefined;
    });
  }

  /** Adds a sentence about a value that cannot be used. */
  report(name: string, text: string): void {
    this.problems.push(
      `The address has a value of ${name} that cannot be used: ${text.slice(0, 80)}`,
    );
  }
}

/** Finite numbers with commas between them; undefined if there are not exactly `count`. */
export function numbersOf(text: string, count: number): readonly number[] | undefined {
  const numbers = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  return numbers.length === count && numbers.every((one) => Number.isFinite(one))
    ? numbers
    : undefined;
}
