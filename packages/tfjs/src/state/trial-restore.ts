import type { Optimizer, RestoreOptions } from "@gradstep/core";
import type { RelocatableBackend } from "../memory/relocatable-backend.js";
import type { TfOptimizerState } from "./optimizer-state.js";

interface TriedState {
  readonly state: TfOptimizerState;
  /** Those of the state. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly options: RestoreOptions | undefined;
  /** With the memory of the first optimizer, for the slots of the trial alone. */
  readonly backend: RelocatableBackend;
}

/**
 * Restores a state in another optimizer first, before parameters are removed for it. Its slots are where those of the
 * first one will be, so that a lack of memory is noticed, too.
 *
 * @param optimizer the one to restore the state in; only read.
 * @param trial made like it, without parameters. It is disposed of.
 * @throws {GradstepError} as `optimizer.restore` does, and `OUT_OF_MEMORY`
 */
export function tryRestore(
  optimizer: Optimizer,
  trial: Optimizer,
  { state, shapes, options, backend }: TriedState,
): void {
  try {
    // Where a schedule was replaced by a number, a schedule in the state is an error.
    const { settings, groups } = optimizer.config();
    setNumbers(trial, settings);
    groups.forEach(({ rule, ...own }, i) => {
      setNumbers(trial.groups[i], { ...rule?.settings, ...own });
    });
    trial.add(Object.fromEntries([...shapes].map(([key, shape]) => [key, backend.staging(shape)])));
    trial.restore(state, options);
  } finally {
    trial.dispose();
  }
}

/** Sets the hyperparameters that are numbers, not schedules. */
function setNumbers(target: object, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values))
    if (typeof value === "number" && name in target) Reflect.set(target, name, value);
}
