import { describe, expect, test } from "vitest";
import { uncodedErrors } from "../../../testing/wrong-values.js";
import * as byName from "../src/by-name.js";
import * as core from "../src/index.js";
import * as interop from "../src/interop/index.js";
import * as reference from "../src/reference.js";

/** Not checked for wrong arguments: authors of errors and backends call the first two, core what a backend has of the last. */
const excluded = ["GradstepError", "Packing", "guardSteps"];

const functions = Object.entries({ ...byName, ...core, ...interop, ...reference }).filter(
  (entry): entry is [string, (...args: unknown[]) => unknown] =>
    typeof entry[1] === "function" && !excluded.includes(entry[0]),
);

describe("what is called with values of the wrong kind throws an error with a code, or none", () => {
  test.each(functions)("%s", async (_, exported) => {
    const isClass = Function.prototype.toString.call(exported).startsWith("class");
    const call = isClass
      ? (...args: unknown[]): unknown => Reflect.construct(exported, args)
      : exported;
    const isCoded = (error: unknown): boolean => error instanceof core.GradstepError;
    expect(await uncodedErrors(isCoded, () => call)).toEqual([]);
  });
});
