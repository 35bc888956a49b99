/** Variables of the environment that vitest hands to tests, in Node and in a browser (see vitest.base.ts). */
const environment = (import.meta as unknown as { readonly env: Readonly<Record<string, string>> })
  .env;

/** Whether every case runs (`pnpm test:full`), or a sample of them (`npm test`). */
export const isFull = environment["GRADSTEP_TEST"] === "full";

/** The seed of samples: `GRADSTEP_SEED`, or the day. A test that samples says which seed it has used. */
export const seed = Number(environment["GRADSTEP_SEED"] || Math.floor(Date.now() / 86_400_000));

/** How many cases a test runs. */
export function cases(full: number, sample: number): number {
  return isFull ? full : sample;
}
