import { describe as plain } from "vitest";

const isThere = (globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu !== undefined;

/** `describe` for tests that need a GPU; they are skipped, visibly, where there is none. */
export const describe: typeof plain = isThere ? plain : (plain.skip as unknown as typeof plain);
