import { checkOptions } from "../argument-checks/check-options.js";
import { GradstepError } from "../errors.js";
import type { MatchedParameter } from "../rule/rule.js";
import type { OptimizerSpec } from "../rule/rule.js";
import { adamw } from "./adamw.js";
import { muon } from "./muon.js";

/** What `muonWithAdamw` takes. */
export interface MuonWithAdamwSettings {
  readonly muon?: Parameters<typeof muon>[0] | undefined;
  readonly adamw?: Parameters<typeof adamw>[0] | undefined;
  /** Matrices that AdamW updates, by their names. `/embed|head/` if left out. */
  readonly exclude?: RegExp | undefined;
}

/** The names of a rule's hyperparameters. */
type HyperparameterOf<F extends (...settings: never) => OptimizerSpec> =
  keyof ReturnType<F>["hyperparameters"];

/**
 * Muon for the matrices between the layers of a network, AdamW for everything else: tensors without two dimensions, and
 * matrices whose name matches `exclude`, such as embeddings and the last layer.
 *
 * AdamW is the rule of a group, `optimizer.groups[0]`, with hyperparameters of its own; the optimizer's are those of Muon.
 *
 * @throws {GradstepError} `INVALID_HYPERPARAMETER` for a pattern that every name matches, which leaves nothing to Muon;
 * `UNKNOWN_OPTION`
 */
export function muonWithAdamw(
  settings: MuonWithAdamwSettings = {},
): OptimizerSpec<HyperparameterOf<typeof muon>, HyperparameterOf<typeof adamw>> {
  checkOptions("muonWithAdamw", settings, ["muon", "adamw", "exclude"]);
  const { muon: own, adamw: others, exclude = /embed|head/ } = settings;
  if (!(exclude instanceof RegExp) || ["", "\0"].every((name) => name.search(exclude) >= 0)) {
    throw new GradstepError(
      `muonWithAdamw: exclude is ${String(exclude)}; expected a pattern that some names do not match, such as /embed|head/. To use AdamW alone, use adamw().`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  return withAdamw(muon(own), adamw(others), ({ name }) => name.search(exclude) >= 0);
}

/** A spec of Muon whose first group, of AdamW, has all tensors without two dimensions and those that are excluded. */
export function withAdamw<H extends string, R extends string>(
  spec: OptimizerSpec<H>,
  rule: OptimizerSpec<R>,
  isExcluded: (parameter: MatchedParameter) => boolean,
): OptimizerSpec<H, R> {
  const match = (parameter: MatchedParameter): boolean =>
    parameter.shape.length !== 2 || isExcluded(parameter);
  const group = { match, rule } as unknown as OptimizerSpec<H, R>["groups"][number];
  return { ...spec, groups: [group] };
}
