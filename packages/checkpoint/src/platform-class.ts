import { GradstepError } from "@gradstep/core";

type Name = "Blob" | "TextDecoder" | "TextEncoder";

/**
 * A class that every platform has, and a test environment such as Jest's jsdom may lack.
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function platformClass<N extends Name>(name: N): (typeof globalThis)[N] {
  const found = (globalThis as Partial<Pick<typeof globalThis, N>>)[name];
  if (found !== undefined) return found;
  throw new GradstepError(
    `There is no ${name} here; expected a browser, Node, Deno or Bun. In Jest, use testEnvironment: "node", or set globalThis.${name} in a set-up file.`,
    { code: "UNSUPPORTED" },
  );
}
