import { gradientKinds } from "../data.js";
import type { Contender } from "./contender.js";

/** One tensor's step in plain JavaScript. `t` is 1 in the first step. */
export type Loop = (
  p: Float32Array,
  g: Float32Array,
  m: Float32Array,
  v: Float32Array,
  t: number,
) => void;

/** A contender that calls a hand-written loop for each tensor. */
export function loopContender(name: string, description: string, update: Loop): Contender {
  return {
    name,
    description,
    start: async ({ gradients, parameters: copy }) => {
      const parameters = copy();
      const m = parameters.map(({ length }) => new Float32Array(length));
      const v = parameters.map(({ length }) => new Float32Array(length));
      let t = 0;
      return {
        step: () => {
          const g = gradients[t % gradientKinds];
          t += 1;
          for (let i = 0; i < parameters.length; i += 1) {
            update(parameters[i], g[i], m[i], v[i], t);
          }
        },
        read: async () => parameters,
        stateBytes: async () => [...m, ...v].reduce((sum, { byteLength }) => sum + byteLength, 0),
        dispose: () => {},
      };
    },
  };
}
