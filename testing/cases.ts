type Variables = Readonly<Record<string, string | undefined>>;

const { process } = globalThis as { readonly process?: { readonly env: Variables } };

/** Environment variables. In a browser, vitest passes those that vitest.base.ts names through `import.meta.env`. */
const environment: Variables =
  process?.env ?? (import.meta as unknown as { readonly env: Variables }).env;

const level = environment["GRADSTEP_TEST"] || "quick";

/** Whether every test runs (`pnpm test:full`, `test:rest`, `test:exhaustive`), or the quick ones (`npm test`). */
export const isFull = level !== "quick";

/** Whether the counts run that the project promises (`pnpm test:exhaustive`): hours on a small machine. */
export const isExhaustive = level === "exhaustive";

/** The seed of random cases and of samples: `GRADSTEP_SEED`, or 1. A test that uses it says so in its name. */
export const seed = Number(environment["GRADSTEP_SEED"] || 1);

/**
 * How many cases a test runs: all of them in `pnpm test:exhaustive`, a tenth in `pnpm test:full`, but not less than in
 * `npm test`.
 */
export function cases(exhaustive: number, quick: number): number {
  if (isExhaustive) return exhaustive;
  return isFull ? Math.max(quick, Math.ceil(exhaustive / 10)) : quick;
}

/** `count` of the values, which the seed chooses, in `npm test`; otherwise all of them. */
export function sampled<Value>(values: readonly Value[], count: number): readonly Value[] {
  if (isFull || count >= values.length) return values;
  const first = (seed * count) % values.length;
  return Array.from({ length: count }, (_, index) => values[(first + index) % values.length]);
}

/** Every `step`th of the values, the seed chooses which; in `pnpm test:exhaustive` all of them. */
export function everyNth<Value>(values: readonly Value[], step: number): readonly Value[] {
  return isExhaustive ? values : values.filter((_, index) => (index + seed) % step === 0);
}
