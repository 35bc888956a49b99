import { describe as plain } from "vitest";

const isThere = (globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu !== undefined;

/** `describe` for what needs a GPU: a visible skip where there is none. */
export const describe: typeof plain = isThere ? plain : (plain.skip as unknown as typeof plain);
