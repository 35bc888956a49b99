import {
  createOptimizer,
  GradstepError,
  type GroupState,
  type OptimizerState,
} from "@gradstep/core";
import { target } from "../mutable-target.js";
import type { Mutant } from "../mutant.js";
import { wrapping } from "./changed-optimizers.js";

type Fingerprinted = Pick<OptimizerState | GroupState, "fingerprint">;

function withoutFingerprint<T extends Fingerprinted>(state: T): Omit<T, "fingerprint"> {
  const { fingerprint: _, ...rest } = state;
  return rest;
}

function withoutFingerprints(state: OptimizerState): OptimizerState {
  return { ...withoutFingerprint(state), groups: state.groups.map(withoutFingerprint) };
}

/** States of rules and stages of one's own, whose texts are known by their fingerprints. */
export const fingerprintMutants: readonly Mutant[] = [
  wrapping("states have no fingerprint of the rule", (optimizer) => ({
    state: async () => withoutFingerprint(await optimizer.state()),
  })),
  wrapping("states have no fingerprints of the groups' rules", (optimizer) => ({
    state: async () => {
      const state = await optimizer.state();
      return { ...state, groups: state.groups.map(withoutFingerprint) };
    },
  })),
  wrapping("fingerprints in a state are not looked at", (optimizer) => ({
    restore: (state, options) => optimizer.restore(withoutFingerprints(state), options),
  })),
  wrapping("a state of another text is taken before it is refused", (optimizer) => ({
    restore: (state, options) => {
      try {
        return optimizer.restore(state, options);
      } catch (error) {
        if (state?.fingerprint !== undefined || state?.groups?.some?.((one) => one?.fingerprint))
          optimizer.restore(state, { partial: true });
        throw error;
      }
    },
  })),
  wrapping("with partial, the slots of another text are left out", (optimizer) => ({
    restore: (state, options) => {
      if (options?.partial !== true) return optimizer.restore(state, options);
      const misfits = optimizer.restore({ ...state, slots: {} }, options);
      return misfits.filter(({ kind }) => kind === "rule");
    },
  })),
  {
    name: "a fingerprint is that of the characters of a text",
    kind: "optimizer",
    target: () =>
      target({
        create: (spec, parameters, options) => {
          const optimizer = createOptimizer(spec, parameters, options);
          const { length } = spec.rule.variant().perElement.source;
          const state = async (): Promise<OptimizerState> => {
            const { fingerprint, ...rest } = await optimizer.state();
            return fingerprint === undefined ? rest : { ...rest, fingerprint: `${length}` };
          };
          const restore: typeof optimizer.restore = (saved, restoring) => {
            if (saved?.fingerprint !== undefined && saved.fingerprint !== `${length}`)
              throw new GradstepError("Another text.", { code: "STATE_MISMATCH" });
            return optimizer.restore(saved && withoutFingerprint(saved), restoring);
          };
          return new Proxy(optimizer, {
            get: (of, key) => {
              const value: unknown = { state, restore }[key as string] ?? Reflect.get(of, key, of);
              return typeof value === "function" ? (value.bind(of) as unknown) : value;
            },
            set: (of, key, value) => Reflect.set(of, key, value, of),
          });
        },
      }),
  },
];
