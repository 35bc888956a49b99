import type { GroupOptions, MatchedParameter } from "../optimizer/groups/group-options.js";
import type { OptimizerSpec } from "../rule/rule.js";
import { adamw } from "./adamw.js";
import { muon } from "./muon.js";

/** What `muonWithAdamw` takes. */
export interface MuonWithAdamwSettings {
  readonly muon?: Parameters<typeof muon>[0];
  readonly adamw?: Parameters<typeof adamw>[0];
  /** The names of matrices that AdamW updates. */
  readonly exclude?: RegExp;
}

/**
 * Muon for the matrices between the layers of a network, AdamW for everything else: tensors without two dimensions, and
 * matrices whose name matches `exclude` (`/embed|head/` if left out), such as embeddings and the last layer.
 *
 * AdamW is the rule of a group, `optimizer.groups[0]`, with hyperparameters of its own; the optimizer's are those of Muon.
 */
export function muonWithAdamw(
  settings: MuonWithAdamwSettings = {},
): OptimizerSpec<keyof ReturnType<typeof muon>["hyperparameters"]> {
  const { muon: own, adamw: others, exclude = /embed|head/ } = settings;
  return withAdamw(muon(own), adamw(others), ({ name }) => name.search(exclude) >= 0);
}

/** A spec of Muon whose first group, of AdamW, has all tensors without two dimensions and those that are excluded. */
export function withAdamw<H extends string>(
  spec: OptimizerSpec<H>,
  rule: OptimizerSpec,
  isExcluded: (parameter: MatchedParameter) => boolean,
): OptimizerSpec<H> {
  const match = (parameter: MatchedParameter): boolean =>
    parameter.shape.length !== 2 || isExcluded(parameter);
  return { ...spec, groups: [{ match, rule } as unknown as GroupOptions<H>] };
}
