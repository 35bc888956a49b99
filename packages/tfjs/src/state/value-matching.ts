import { isSameShape } from "@gradstep/core/internal";
import type { Variable } from "@tensorflow/tfjs-core";
import { valuesOf } from "../memory/memory-adapter.js";
import { familyOf, layerOf, uniquenessNumberOf } from "./name-numbering.js";
import { fingerprintOf, isSameFingerprint, type Fingerprint } from "./value-fingerprint.js";
import type { WaitingState } from "./waiting-state.js";

/** The states that were saved with the values that a variable has: several where variables had equal values. */
export type StatesByValue<S> = ReadonlyMap<Variable, readonly S[]>;

/**
 * Finds the states that were saved with the values of the variables, where the checkpoint has fingerprints. Of several,
 * the one that belongs to the layer, or else to the model, whose other variables have one state each: biases are often
 * equal in two models, and kernels are not.
 */
export function statesByValue<S extends WaitingState>(
  states: readonly S[],
  variables: readonly Variable[],
): StatesByValue<S> {
  const found = new Map<Variable, readonly S[]>();
  if (states.every(({ fingerprint }) => fingerprint === undefined)) return found;
  for (const variable of variables) {
    const fingerprint = readFingerprint(variable);
    if (fingerprint === undefined) continue;
    const family = familyOf(variable.name);
    const same = states.filter(
      (state) =>
        familyOf(state.key) === family &&
        state.fingerprint !== undefined &&
        isSameShape(state.shape, variable.shape) &&
        isSameFingerprint(state.fingerprint, fingerprint),
    );
    if (same.length > 0) found.set(variable, same);
  }
  const certain = [...found].filter(([, same]) => same.length === 1);
  for (const [variable, same] of found)
    if (same.length > 1) found.set(variable, ofSameModel(variable, same, certain));
  return found;
}

/** The one of several states that belongs to the model of the variable; all of them where that is not known. */
function ofSameModel<S extends WaitingState>(
  { name }: Variable,
  states: readonly S[],
  certain: readonly (readonly [Variable, readonly S[]])[],
): readonly S[] {
  // TF.js numbers the variables of a layer alike, and those of the same model from one factory.
  const related = certain.filter(
    ([other]) => uniquenessNumberOf(other.name) === uniquenessNumberOf(name),
  );
  const keysOf = (some: typeof related): string[] => some.map(([, [state]]) => state.key);
  const ofLayer = keysOf(related.filter(([other]) => layerOf(other.name) === layerOf(name)));
  const inLayer = states.filter(({ key }) =>
    ofLayer.some(
      (other) =>
        layerOf(other) === layerOf(key) && uniquenessNumberOf(other) === uniquenessNumberOf(key),
    ),
  );
  if (inLayer.length === 1) return inLayer;
  const ofModel = keysOf(related);
  const inModel = states.filter(
    ({ key }) =>
      ofModel.length > 0 &&
      ofModel.every((other) => uniquenessNumberOf(other) === uniquenessNumberOf(key)),
  );
  return inModel.length === 1 ? inModel : states;
}

function readFingerprint(variable: Variable): Fingerprint | undefined {
  try {
    return fingerprintOf(valuesOf(variable));
  } catch {
    // Values on a GPU cannot be read synchronously.
    return undefined;
  }
}
