import { existsSync } from "node:fs";
import { join } from "node:path";
import { isFull, seed } from "./cases.js";

/**
 * Of a package's slow test files, those that do not run today: vitest's `exclude`. `npm test`, which turbo runs, takes one
 * in `every` of them, others each day. `pnpm test:full` takes all, and so does vitest when it is started in the package.
 *
 * @param folder the package's
 * @param slow paths in `test`, without `.test.ts`
 */
export function notDue(folder: string, every: number, slow: readonly string[]): string[] {
  const files = slow.map((name) => `test/${name}.test.ts`);
  const missing = files.filter((file) => !existsSync(join(folder, file)));
  if (missing.length > 0) throw new Error(`There is no ${missing.join(" and no ")}.`);
  const { TURBO_HASH: startedByTurbo } = process.env;
  if (isFull || startedByTurbo === undefined) return [];
  const isDue = (index: number): boolean => (index + seed) % every === 0;
  console.log(`Slow test files, seed ${seed}: ${slow.filter((_, i) => isDue(i)).join(", ")}`);
  return files.filter((_, index) => !isDue(index));
}
