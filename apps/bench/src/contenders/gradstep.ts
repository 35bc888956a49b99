import { createOptimizer, type WrappingBackend } from "@gradstep/core";
import { rule } from "../adam.js";
import { gradientKinds } from "../data.js";
import type { Contender } from "./contender.js";

/** gradstep on a backend that works on the caller's arrays. */
export function gradstepContender(
  name: string,
  description: string,
  makeBackend: () => WrappingBackend<Float32Array>,
): Contender {
  return {
    name,
    description,
    start: async ({ workload, gradients, parameters: copy }) => {
      const backend = makeBackend();
      const arrays = copy();
      const names = arrays.map((_, i) => `tensor${i}`);
      const tensors = arrays.map((array, i) => backend.wrap(array, { shape: workload.shapes[i] }));
      const optimizer = createOptimizer(rule, byName(names, tensors));
      const named = gradients.map((kind) => byName(names, kind));
      return {
        step: () => optimizer.step(named[optimizer.iterations % gradientKinds]),
        read: async () => arrays,
        stateBytes: async () => {
          const { slots } = await optimizer.state();
          return Object.values(slots)
            .flatMap((slot) => Object.values(slot))
            .reduce((sum, { byteLength }) => sum + byteLength, 0);
        },
        dispose: () => optimizer.dispose(),
      };
    },
  };
}

function byName<T>(names: readonly string[], values: readonly T[]): Record<string, T> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}
