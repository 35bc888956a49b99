import type { Capability, Check, Context, Target } from "./check.js";

const reasons: Readonly<Record<Capability, string>> = {
  wrapsArrays: "the backend is declared with wrapsArrays: false",
  rows: "the backend has no remap(), so it does not move rows or apply masks",
};

/** Why a check cannot run, as far as the options say; undefined if it can, or if only the backend itself tells. */
export function declaredSkip({ needs }: Check, target: Target): string | undefined {
  return needs !== undefined && target[needs] === false ? reasons[needs] : undefined;
}

/** Why a check cannot run; undefined if it can. */
export async function skipReason(check: Check, { target }: Context): Promise<string | undefined> {
  const declared = declaredSkip(check, target);
  if (declared !== undefined || check.needs !== "rows" || target.rows === true) return declared;
  return (await target.backend()).remap === undefined ? reasons.rows : undefined;
}
