import type { OptimizerState } from "@gradstep/core";
import type { Random } from "../random/random.js";
import type { PlainGroupState, PlainState } from "./plain-optimizer.js";
import { randomOverrides } from "./random-arguments.js";

/** A state of the optimizer, and that of the plain one at the same time. */
export interface SavedState {
  readonly state: OptimizerState;
  readonly plain: PlainState;
}

/** The same state, in which the numbers of some groups are others. */
export function randomlyEdited({ state, plain }: SavedState, random: Random): SavedState {
  const edited = plain.groups.map((group, i): PlainGroupState => {
    if (random.chance(0.5)) return group;
    const overrides = {
      ...(i === 0 ? { learningRate: 1, alpha: 1, weightDecay: 0 } : {}),
      ...randomOverrides(random),
    };
    if (i > 0 && random.chance(0.5)) Object.assign(overrides, { every: random.integer(1, 3) });
    return {
      overrides,
      iterations: random.integer(0, 20),
      frozen: i > 0 && random.chance(0.2),
      total: random.integer(0, 200),
    };
  });
  const groups = edited.map((group): PlainGroupState =>
    random.chance(0.8) ? group : { overrides: group.overrides, total: group.total, frozen: false },
  );
  return {
    state: {
      ...state,
      hyperparameters: groups[0].overrides,
      groups: state.groups.map(({ parameters }, i) => {
        const { overrides, total, ...counted } = groups[i];
        return {
          parameters,
          ...counted,
          hyperparameters: i === 0 ? {} : overrides,
          persistentScalars: { total },
        };
      }),
    },
    plain: { ...plain, groups },
  };
}
