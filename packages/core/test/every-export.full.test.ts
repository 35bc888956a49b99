import { describe, expect, test } from "vitest";
import * as byName from "../src/by-name.js";
import * as core from "../src/index.js";
import * as interop from "../src/interop/index.js";
import * as reference from "../src/reference.js";

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function detached(): Float32Array {
  const array = new Float32Array(4);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

const values: readonly (readonly [string, () => unknown])[] = [
  ["undefined", () => undefined],
  ["null", () => null],
  ["true", () => true],
  ["NaN", () => Number.NaN],
  ["-1", () => -1],
  ["2^53", () => 2 ** 53],
  ["a bigint", () => 1n],
  ["a string", () => "x"],
  ["a symbol", () => Symbol("s")],
  ["a function", () => () => {}],
  ["an object", () => ({})],
  ["an object without a prototype", () => Object.create(null) as object],
  ["an object with a length", () => ({ length: 2 ** 53 })],
  ["an empty list", () => []],
  ["a list of null", () => [null]],
  ["a Map", () => new Map([["w", 1]])],
  ["a promise", () => Promise.resolve(1)],
  ["a Float32Array", () => new Float32Array(3)],
  ["a BigInt64Array", () => new BigInt64Array(2)],
  ["a detached array", detached],
  ["a revoked proxy", () => revoked({})],
  ["a revoked proxy of a list", () => revoked([])],
  ["a revoked proxy of a function", () => revoked(() => {})],
];

/** Not checked for wrong arguments: backends and authors of errors call these. */
const excluded = ["GradstepError", "Packing"];

const functions = Object.entries({ ...byName, ...core, ...interop, ...reference }).filter(
  (entry): entry is [string, (...args: unknown[]) => unknown] =>
    typeof entry[1] === "function" && !excluded.includes(entry[0]),
);

/** The error with which a call fails; undefined if it returns, or resolves. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    const result = call();
    if (result instanceof Promise) await result;
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("what is called with values of the wrong kind throws an error with a code, or none", () => {
  test.each(functions)("%s", async (name, exported) => {
    const isClass = Function.prototype.toString.call(exported).startsWith("class");
    for (const [what, make] of values)
      for (let length = 0; length <= 4; length += 1)
        for (let at = 0; at < Math.max(length, 1); at += 1) {
          // One of them is the value; the others are objects, or the value, too.
          const others = (): unknown => (at % 2 === 0 ? {} : make());
          const args = Array.from({ length }, (_, i) => (i === at ? make() : others()));
          const error = await errorOf(() =>
            isClass ? Reflect.construct(exported, args) : exported(...args),
          );
          if (error === undefined) continue;
          expect(error, `${name}, ${what} at ${at} of ${length}`).toBeInstanceOf(
            core.GradstepError,
          );
        }
  });
});
