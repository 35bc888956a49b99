import { GradstepError } from "@gradstep/core";
import { expect, test } from "vitest";
import { uncodedErrors } from "../../../testing/wrong-values.js";
import { describe, newBackend } from "./gpu.js";

type Method = (...args: unknown[]) => unknown;

/** Without those that core calls in each step, or once per optimizer, and that check little. */
const methods = {
  backend: [
    ..."tensor reserve staging wrap compile ready rowLimit maskOf remap encodeRemap".split(" "),
    ..."copy fillCopy encodeFillCopy scatter".split(" "),
  ],
  tensor: ["read", "free"],
} as const;

describe("methods that are called with values of the wrong kind", () => {
  test.each(["backend", "tensor"] as const)(
    "of a %s throw an error with a code, or none",
    async (kind) => {
      const backend = await newBackend();
      const make = (): object =>
        kind === "backend" ? backend : backend.tensor([2, 2], [1, 2, 3, 4]);
      const isCoded = (error: unknown): boolean => error instanceof GradstepError;
      for (const name of methods[kind]) {
        const bound = (): Method => {
          const object = make() as Record<string, Method>;
          return (...args) => object[name](...args);
        };
        expect({ name, errors: await uncodedErrors(isCoded, bound) }).toEqual({ name, errors: [] });
      }
    },
    120_000,
  );

  test("a remap says what is wrong, and changes nothing", async () => {
    const backend = await newBackend();
    const tensor = backend.tensor([2, 1], [1, 2]);
    const indices = new Uint32Array([1]);
    const move = { tensor, initial: 0, reset: "added" } as const;
    for (const [moves, sources, message] of [
      [[move], { count: 1n, indices }, "count: got 1n; expected a positive integer."],
      [[move], { count: 1 }, "indices: got undefined; expected a Uint32Array"],
      [[{ ...move, tensor: {} }], { count: 1, indices }, "A moved tensor: got an object; expected"],
      [[{ ...move, reset: 1 }], { count: 1, indices }, "reset: got 1; expected a Uint32Array"],
    ] as const) {
      const remap = (): void => backend.remap(moves as never, sources as never);
      expect(remap).toThrow(expect.objectContaining({ code: "INVALID_PARAMETER" }) as Error);
      expect(remap).toThrow(message);
    }
    expect([...(await tensor.read())]).toEqual([1, 2]);
  });
});
