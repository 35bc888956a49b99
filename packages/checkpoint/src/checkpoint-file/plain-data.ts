import { GradstepError, show } from "@gradstep/core";

/** A typed array in plain data, and the properties that lead to it. */
export type PlaceArray = (array: ArrayBufferView, path: readonly string[]) => string;

/** Data nested deeper than this is refused. */
const maxDepth = 100;

/**
 * Plain data as JSON data. JSON has no typed arrays, NaN, infinities and negative zeros: they become objects with one
 * key, `$array` or `$number`. Keys of the data that begin with `$` get a second one.
 *
 * @param place returns the key under which an array is stored
 * @throws {GradstepError} `UNSUPPORTED` for functions, dates, maps and other objects with a class
 */
export function toJson(value: unknown, place: PlaceArray, path: readonly string[] = []): unknown {
  if (path.length > maxDepth) refuse(path.slice(0, 8), "nested too deep");
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { $number: Object.is(value, -0) ? "-0" : String(value) };
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (ArrayBuffer.isView(value)) return { $array: place(value, path) };
  if (Array.isArray(value))
    return Array.from(value, (one, i) => toJson(one, place, [...path, String(i)]));
  if (typeof value !== "object" || !isPlain(value)) refuse(path, `got ${show(value)}`);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .map(([key, one]) => [
        key.startsWith("$") ? `$${key}` : key,
        toJson(one, place, [...path, key]),
      ]),
  );
}

/**
 * The data that `toJson` got.
 * @param arrayOf the array of a key
 * @throws {GradstepError} `INVALID_FILE` for what `toJson` does not make
 */
export function fromJson(value: unknown, arrayOf: (key: string) => unknown, depth = 0): unknown {
  if (depth > maxDepth + 1) malformed("data nested too deep");
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((one) => fromJson(one, arrayOf, depth + 1));
  const entries = Object.entries(value);
  const [key, one] = entries[0] ?? [];
  if (entries.length === 1 && key === "$array" && typeof one === "string") return arrayOf(one);
  if (entries.length === 1 && key === "$number") return specialNumber(one);
  return Object.fromEntries(
    entries.map(([name, part]) => {
      if (name.startsWith("$") && !name.startsWith("$$")) malformed(`the key ${show(name)}`);
      return [name.startsWith("$") ? name.slice(1) : name, fromJson(part, arrayOf, depth + 1)];
    }),
  );
}

function specialNumber(text: unknown): number {
  if (["NaN", "Infinity", "-Infinity", "-0"].includes(text as string)) return Number(text);
  return malformed(`the number ${show(text)}`);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // The prototype of another realm's objects has none of its own.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function refuse(path: readonly string[], what: string): never {
  throw new GradstepError(
    `${path.join(".") || "The data"} cannot be stored: ${what}; expected plain data: objects, arrays, typed arrays, numbers, text, booleans and null.`,
    { code: "UNSUPPORTED" },
  );
}

function malformed(what: string): never {
  throw new GradstepError(
    `The checkpoint holds ${what}, which no checkpoint has; use another checkpoint.`,
    { code: "INVALID_FILE" },
  );
}
