import { readInto } from "../../backend/read-into.js";
import { readCounts } from "../step-control/device-control.js";
import { readControlState } from "../step-control/step-control-state.js";
import { ruleFingerprint } from "../../rule/rule.js";
import type { Group } from "../groups/group.js";
import { readRowLimit } from "../rows/row-limit.js";
import type { OptimizerState } from "./optimizer-state.js";
import { savedSlots, shapeOf, type StateSource } from "./state-source.js";

function ruleState({ context: { spec } }: Group): RuleState {
  return {
    rule: spec.rule.name,
    options: { ...spec.options },
    ...(spec.rule.isOwn === true && { fingerprint: ruleFingerprint(spec) }),
  };
}

type RuleState = Pick<OptimizerState, "rule" | "options" | "fingerprint">;
type RowCounts = NonNullable<OptimizerState["rowCounts"]>;

/**
 * Copies everything the next step depends on, apart from the values of the parameters.
 * @param reuse a state whose arrays are overwritten and become part of the new one, where they fit
 */
export async function readState(
  { groups, records, control }: StateSource,
  iterations: number,
  reuse: OptimizerState | undefined,
): Promise<OptimizerState> {
  const [defaults] = groups;
  const counted = control && readCounts(control, records);
  const counting = records.filter(({ rowSteps }) => rowSteps !== undefined);
  // Everything on the host is copied now, so that steps taken before the reads resolve do not change it.
  const state = {
    version: 1 as const,
    ...ruleState(defaults),
    hyperparameters: defaults.ownHyperparameters(),
    iterations,
    shapes: Object.fromEntries(records.map((record) => [record.name, [...shapeOf(record)]])),
    ...(counting.length > 0 && {
      rowSteps: Object.fromEntries(
        counting.map(({ name, rowSteps }) => [name, rowSteps!.counts.slice()]),
      ),
    }),
    groups: groups.map((group) => ({
      parameters: [...group.parameters],
      iterations: group.iterations,
      hyperparameters: group === defaults ? {} : group.ownHyperparameters(),
      persistentScalars: group.scalars.persistentScalars,
      ...(group.frozen ? { frozen: true } : {}),
      ...(group.context === defaults.context ? {} : ruleState(group)),
    })),
  };
  const reads = records.map(async (record) => {
    const saved = savedSlots(record);
    const earlier = reuse?.slots?.[record.name];
    const arrays = await Promise.all(
      saved.map(async ({ name, index }) => readInto(record.update.slots[index], earlier?.[name])),
    );
    return [record.name, Object.fromEntries(saved.map(({ name }, i) => [name, arrays[i]]))];
  });
  const limited = records.filter(({ rowLimit }) => rowLimit !== undefined);
  const counts = limited.map(async (record) => [
    record.name,
    await readRowLimit(record.rowLimit!, shapeOf(record)[0]),
  ]);
  // Await all reads together; otherwise one rejection would go unhandled.
  const controlled = control && readControlState(control, records);
  const [slots, rowCounts, ofControl, correct] = await Promise.all([
    Promise.all(reads),
    Promise.all(counts),
    controlled,
    counted,
  ]);
  const read = {
    ...state,
    slots: Object.fromEntries(slots) as OptimizerState["slots"],
    ...(limited.length > 0 && { rowCounts: Object.fromEntries(rowCounts) as RowCounts }),
    ...(ofControl && { control: ofControl }),
  };
  return correct?.(read) ?? read;
}
