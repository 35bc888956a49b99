import {
  createOptimizer,
  type Backend,
  type Tensor,
  type Values,
  type WrappingBackend,
} from "@gradstep/core";
import { rule } from "../adam.js";
import { gradientKinds } from "../data.js";
import type { Contender } from "./contender.js";

/** A backend at work: how arrays become its tensors, and how it is let go. */
interface Setting {
  /** A tensor with these values: over the array, or a copy of it. */
  readonly place: (values: Float32Array, shape: readonly number[]) => Tensor;
  readonly dispose?: () => void;
}

/** gradstep on a backend. Gradients are tensors of it, as they are where something on the same backend makes them. */
export function gradstepContender(
  name: string,
  description: string,
  set: () => Setting,
): Contender {
  return {
    name,
    description,
    start: async ({ workload, gradients, parameters: copy }) => {
      const { place, dispose } = set();
      const { shapes } = workload;
      const arrays = copy();
      const names = arrays.map((_, i) => `tensor${i}`);
      const tensors = arrays.map((array, i) => place(array, shapes[i]));
      const optimizer = createOptimizer(rule, byName(names, tensors));
      const named = gradients.map((kind) =>
        byName(
          names,
          kind.map((array, i) => place(array, shapes[i])),
        ),
      );
      return {
        step: () => optimizer.step(named[optimizer.iterations % gradientKinds]),
        read: () => Promise.all(tensors.map((tensor): Promise<Values> => tensor.read())),
        stateBytes: async () => {
          const { slots } = await optimizer.state();
          return Object.values(slots)
            .flatMap((slot) => Object.values(slot))
            .reduce((sum, { byteLength }) => sum + byteLength, 0);
        },
        dispose: () => {
          optimizer.dispose();
          dispose?.();
        },
      };
    },
  };
}

/** Works in the arrays themselves. */
export function inPlace(backend: WrappingBackend<Float32Array>): Setting {
  return { place: (values, shape) => backend.wrap(values, { shape }) };
}

/** Works in memory of the backend's, where the arrays are copied to at first. */
export function ownMemory(backend: Backend & { readonly dispose: () => void }): Setting {
  return {
    place: (values, shape) => backend.tensor(shape, values),
    dispose: () => {
      backend.dispose();
    },
  };
}

function byName<T>(names: readonly string[], values: readonly T[]): Record<string, T> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}
