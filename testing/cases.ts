type Variables = Readonly<Record<string, string | undefined>>;

const { process } = globalThis as { readonly process?: { readonly env: Variables } };

/** Environment variables. In a browser, vitest passes those that vitest.base.ts names through `import.meta.env`. */
const environment: Variables =
  process?.env ?? (import.meta as unknown as { readonly env: Variables }).env;

/** Whether every case runs (`pnpm test:full`), or a sample of them (`npm test`). */
export const isFull = environment["GRADSTEP_TEST"] === "full";

/** The seed of samples: `GRADSTEP_SEED`, or the day. A test that samples says which seed it has used. */
export const seed = Number(environment["GRADSTEP_SEED"] || Math.floor(Date.now() / 86_400_000));

/** How many cases a test runs. */
export function cases(full: number, sample: number): number {
  return isFull ? full : sample;
}

/** `count` of the values, others each day, in `npm test`; all of them in `pnpm test:full`. */
export function sampled<Value>(values: readonly Value[], count: number): readonly Value[] {
  if (isFull || count >= values.length) return values;
  const first = (seed * count) % values.length;
  return Array.from({ length: count }, (_, index) => values[(first + index) % values.length]);
}
