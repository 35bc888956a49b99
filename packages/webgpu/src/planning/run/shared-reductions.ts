import type { ReduceOp, Temporary } from "@gradstep/core";
import type { PlannedRun } from "./planned-run.js";
import type { SharedReduction } from "./run-allocation.js";
import type { ScratchLayout } from "./scratch-layout.js";

/** Reductions over all tensors at a level, each once. */
export function reductionsOverAll(
  runs: readonly PlannedRun[],
  level: number,
): readonly { readonly op: ReduceOp; readonly key: string }[] {
  const found = new Map<string, ReduceOp>();
  for (const run of runs) {
    const { passes, temporaries } = run.variant.passPlan;
    for (const pass of passes) {
      if (pass.kind !== "map" || pass.level !== level) continue;
      for (const { name, op, over } of pass.reductions) {
        const temporary = temporaries.find((one) => one.name === name)!;
        if (over === "all") found.set(keyOf(runs, run, temporary), op);
      }
    }
  }
  return [...found].map(([key, op]) => ({ op, key }));
}

/** Equal for temporaries that several runs have in common. */
export function keyOf(
  runs: readonly PlannedRun[],
  run: PlannedRun,
  { name, key }: Temporary,
): string {
  return key === undefined ? `${runs.indexOf(run)} ${name}` : `= ${key}`;
}

/** The reductions over all tensors, by key. */
export function sharedReductions(
  runs: readonly PlannedRun[],
  scratch: ScratchLayout,
): ReadonlyMap<string, SharedReduction> {
  const lengths = new Map<string, number>();
  for (const run of runs) {
    for (const temporary of run.variant.passPlan.temporaries) {
      if (temporary.extent !== "all") continue;
      const key = keyOf(runs, run, temporary);
      lengths.set(key, (lengths.get(key) ?? 0) + run.updates.length);
    }
  }
  return new Map(
    [...lengths].map(([key, length]) => {
      const target = scratch.reserve(1);
      return [key, { length, target, source: length === 1 ? target : scratch.reserve(length) }];
    }),
  );
}

/** Where the tensors of a run start among those of a reduction that it has in common with others. */
export function startInShared(
  runs: readonly PlannedRun[],
  run: PlannedRun,
  name: string,
  shared: ReadonlyMap<string, SharedReduction>,
): number {
  const key = keyOf(
    runs,
    run,
    run.variant.passPlan.temporaries.find((one) => one.name === name)!,
  );
  const temporaryOf = (one: PlannedRun): Temporary | undefined =>
    one.variant.passPlan.temporaries.find(
      (temporary) => temporary.extent === "all" && keyOf(runs, one, temporary) === key,
    );
  const before = runs.slice(0, runs.indexOf(run)).filter((one) => temporaryOf(one) !== undefined);
  const tensors = before.reduce((sum, { updates }) => sum + updates.length, 0);
  return shared.get(key)!.source + tensors;
}
