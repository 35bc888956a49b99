import { describe, expect, test } from "vitest";
import { checkOptions } from "../src/argument-checks/check-options.js";
import { alternatives, GradstepError, list, show } from "../src/errors.js";
import { failureOf } from "./support.js";

describe("a value in an error message", () => {
  class Custom {}
  const nothing = Object.create(null) as object;

  test.each<[unknown, string]>([
    ["adam", '"adam"'],
    ['a "quote"', '"a \\"quote\\""'],
    ["a".repeat(100), `"${"a".repeat(100)}"`],
    ["a".repeat(101), `"${"a".repeat(100)}"… (101 characters)`],
    [1.5, "1.5"],
    [Number.NaN, "NaN"],
    [null, "null"],
    [undefined, "undefined"],
    [true, "true"],
    [10n, "10n"],
    [Symbol("s"), "Symbol(s)"],
    [() => 1, "a function"],
    [Custom, "a function"],
    [new Float32Array(3), "a Float32Array of 3 values"],
    [new Int32Array(2), "an Int32Array of 2 values"],
    [new DataView(new ArrayBuffer(2)), "a DataView"],
    [[], "[]"],
    [[1, "a", null], "an array of 3"],
    [[1, "a", undefined], '[1, "a", undefined]'],
    [[1, 2, 3, 4, 5, 6, 7, 8], "[1, 2, 3, 4, 5, 6, 7, 8]"],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9], "an array of 9"],
    [[1, [2]], "an array of 2"],
    [{ a: 1 }, "an object"],
    [nothing, "an object"],
    [new Custom(), "a Custom"],
    [new Map(), "a Map"],
  ])("%# is short, and strings are in quotes", (value, text) => {
    expect(show(value)).toBe(text);
  });

  test("names are a list, shortened if it is long", () => {
    const names = Array.from("abcdefghijklmn");
    expect(list([])).toBe("none");
    expect(list(["a"])).toBe("a");
    expect(list(new Set(names.slice(0, 12)))).toBe("a, b, c, d, e, f, g, h, i, j, k, l");
    expect(list(names.slice(0, 13))).toBe("a, b, c, d, e, f, g, h, i, j, k, l, m");
    expect(list(names)).toBe("a, b, c, d, e, f, g, h, i, j, k, l and 2 more");
  });

  test("alternatives are in quotes, with an or before the last", () => {
    expect(alternatives([])).toBe("nothing");
    expect(alternatives(["a"])).toBe('"a"');
    expect(alternatives([false, true])).toBe("false or true");
    expect(alternatives(["a", "b", "c"])).toBe('"a", "b" or "c"');
  });
});

test("an error has a name, a code and an optional cause", () => {
  const cause = new Error("inner");
  const error = new GradstepError("outer", { code: "DISPOSED", cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: "GradstepError", message: "outer", code: "DISPOSED", cause });
  expect(new GradstepError("outer", { code: "DISPOSED" })).not.toHaveProperty("cause");
});

test("an error without options still says what it is about", () => {
  for (const options of [undefined, null, 1, "x"]) {
    const error = new GradstepError("broken", options as never);
    expect([error.message, error.code, "cause" in error]).toEqual(["broken", undefined, false]);
  }
});

test("options are an object with known keys", () => {
  const check = (options: unknown): void => {
    checkOptions("wrap", options as object, ["shape", "offset"]);
  };
  for (const options of [{}, { shape: [1] }, { shape: [1], offset: 0 }, Object.create(null)])
    expect(() => check(options)).not.toThrow();
  for (const options of [null, undefined, 1, "shape", [], new Map(), new Set(), { Shape: 1 }])
    expect(failureOf(() => check(options)).code).toBe("UNKNOWN_OPTION");
  // An unknown option is named.
  expect(failureOf(() => check({ shape: [1], capacity: 1 })).message).toContain('"capacity"');
});
