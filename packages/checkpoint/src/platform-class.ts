import { GradstepError } from "@gradstep/core";
import { propertyOf } from "@gradstep/core/internal";

type Name = "Blob" | "TextDecoder" | "TextEncoder";

/** The methods without which a class cannot be used. The Blob of jsdom has no `stream`. */
const neededMethods = { Blob: "stream", TextDecoder: "decode", TextEncoder: "encode" };

/**
 * A class that every platform has, and a test environment such as Jest's jsdom may lack, or have without some methods.
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function platformClass<N extends Name>(name: N): (typeof globalThis)[N] {
  const found = (globalThis as Partial<Pick<typeof globalThis, N>>)[name];
  const method = neededMethods[name];
  if (found !== undefined && propertyOf(found.prototype, method) !== undefined) return found;
  const problem =
    found === undefined ? `There is no ${name} here` : `The ${name} here has no method ${method}`;
  throw new GradstepError(
    `${problem}; expected a browser, Node, Deno or Bun. In Jest, use testEnvironment: "node", or set globalThis.${name} in a set-up file.`,
    { code: "UNSUPPORTED" },
  );
}
