import type { OptimizerState, Values } from "@gradstep/core";
import { floatValues, type SafetensorsEntry } from "../../safetensors/index.js";
import { countOf } from "./array-checks.js";
import type { StateArray } from "./state-arrays.js";
import type { CountContent } from "./state-structures.js";

/**
 * The state that continues from arrays of Optax.
 * @param initial the state before the first step
 * @param namedSteps the steps taken, if the file says it; used where Optax does not count them
 */
export function stateFrom(
  initial: OptimizerState,
  arrays: readonly StateArray[],
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  namedSteps: number | undefined,
): OptimizerState {
  const slots: Record<string, Record<string, Values>> = Object.fromEntries(
    Object.entries(initial.slots).map(([name, own]) => [name, { ...own }]),
  );
  const persistentScalars: Record<string, number> = { ...initial.groups[0].persistentScalars };
  const counts: Partial<Record<CountContent["of"], number>> = {};
  const means = new Map<string, Values>();
  for (const { path, content, parameter } of arrays) {
    const entry = tensors.get(path)!;
    switch (content.holds) {
      case "count":
        counts[content.of] = countOf(content, entry);
        break;
      case "slot": {
        // A momentum of 0 has no slot here.
        const own = slots[parameter!];
        const values = floatValues(entry);
        if (Object.hasOwn(own, content.slot))
          own[content.slot] = content.factor === 1 ? values : values.map((value) => -value);
        break;
      }
      case "sharedSlot":
        for (const own of Object.values(slots)) own[content.slot] = floatValues(entry).slice();
        break;
      case "persistentScalar":
        [persistentScalars[content.name]] = floatValues(entry);
        break;
      case "meanGradient":
        means.set(parameter!, floatValues(entry));
        break;
      case "constants":
      case "hyperparameter":
      case "isLastFinite":
        break;
    }
  }
  const { steps, microSteps = 0, allSteps, skippedSteps = 0, consecutiveSkips = 0 } = counts;
  const counted = allSteps === undefined ? namedSteps : allSteps - skippedSteps;
  const iterations = steps ?? counted ?? 0;
  return {
    ...initial,
    iterations,
    slots,
    groups: initial.groups.map((group, i) => ({
      ...group,
      iterations,
      persistentScalars: i === 0 ? persistentScalars : group.persistentScalars,
    })),
    ...(initial.control && {
      control: {
        ...initial.control,
        microSteps,
        skippedSteps,
        consecutiveSkips,
        // Optax keeps the mean, and gradstep the sum.
        accumulated: Object.fromEntries(
          microSteps === 0
            ? []
            : [...means].map(([name, mean]) => [name, mean.map((value) => value * microSteps)]),
        ),
      },
    }),
  };
}
