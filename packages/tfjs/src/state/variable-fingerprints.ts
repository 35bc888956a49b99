import { withoutUniquenessNumber } from "./name-numbering.js";
import type { TfOptimizerState } from "./optimizer-state.js";
import type { ParameterTable } from "./parameter-table.js";
import { fingerprintOf, type Fingerprint } from "./value-fingerprint.js";

/**
 * The fingerprints of variables, by the keys of their states: only where two variables differ by nothing but the number that
 * TF.js adds to make names unique.
 */
export async function fingerprintsOf(
  table: ParameterTable,
  keys: readonly string[],
): Promise<TfOptimizerState["fingerprints"]> {
  const names = keys.filter((key) => key.includes("/")).map(withoutUniquenessNumber);
  if (new Set(names).size === names.length) return undefined;
  const reads = keys.map(async (key): Promise<[string, Fingerprint] | undefined> => {
    const variable = table.variableOf(key);
    const { fingerprint } = table.get(key)!;
    // A parameter that has no variable yet keeps the one from its checkpoint.
    if (variable === undefined) return fingerprint && [key, fingerprint];
    return [key, fingerprintOf(new Float32Array(await variable.data()))];
  });
  return Object.fromEntries((await Promise.all(reads)).filter((one) => one !== undefined));
}
