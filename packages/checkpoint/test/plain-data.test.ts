import fc from "fast-check";
import { expect, test } from "vitest";
import { fromJson, toJson } from "../src/checkpoint-file/plain-data.js";

/** Through JSON text, with arrays kept aside. */
function throughJson(value: unknown): unknown {
  const arrays = new Map<string, ArrayBufferView>();
  const json = toJson(value, (array, path) => {
    const key = `${arrays.size}:${path.join("/")}`;
    arrays.set(key, array);
    return key;
  });
  return fromJson(JSON.parse(JSON.stringify(json)), (key) => arrays.get(key));
}

test("plain data comes back as it was: special numbers, arrays, and keys like those of the format", () => {
  const leaf = fc.oneof(
    fc.double(),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.float32Array(),
    fc.uint8Array(),
  );
  const key = fc.oneof(fc.string(), fc.constantFrom("$array", "$number", "$$", "__proto__", "0"));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("tree"), { maxLength: 3 }),
      // Of entries, because fast-check's dictionary would set a prototype with the key __proto__.
      fc.array(fc.tuple(key, tie("tree")), { maxLength: 4 }).map((e) => Object.fromEntries(e)),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      expect(throughJson(value)).toStrictEqual(value);
    }),
  );
});

test("properties that are undefined are left out", () => {
  expect(throughJson({ a: undefined, b: 1 })).toStrictEqual({ b: 1 });
});

test.each([
  ["a function", { a: { b: () => 1 } }, "a.b cannot be stored: got a function"],
  ["a map", { a: new Map() }, "a cannot be stored: got a Map"],
  ["a bigint", { a: [1n] }, "a.0 cannot be stored: got 1"],
  ["a symbol", { a: Symbol("x") }, "a cannot be stored: got Symbol(x)"],
  ["undefined in an array", [undefined], "0 cannot be stored: got undefined"],
])("%s is refused by its path", (_, value, message) => {
  expect(() => throughJson(value)).toThrow(
    expect.objectContaining({ code: "UNSUPPORTED", message: expect.stringContaining(message) }),
  );
});

test("data that contains itself is refused", () => {
  const value: Record<string, unknown> = {};
  value.self = value;
  expect(() => throughJson(value)).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
});

test.each([
  { $other: 1 },
  { $array: 1 },
  { $number: "1" },
  { $number: 1 },
  { $array: "a", b: 1 },
  JSON.parse("[".repeat(1000) + "]".repeat(1000)),
])("other special keys and data nested too deep are an error: %j", (value) => {
  expect(() => fromJson(value, () => undefined)).toThrow(
    expect.objectContaining({ code: "INVALID_FILE" }),
  );
});
