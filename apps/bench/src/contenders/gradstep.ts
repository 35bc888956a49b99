import {
  createOptimizer,
  type Backend,
  type Gradients,
  type Optimizer,
  type Tensor,
  type Values,
  type WrappingBackend,
} from "@gradstep/core";
import { rule } from "../adam.js";
import { gradientKinds } from "../data.js";
import type { Contender } from "./contender.js";

/** A backend at work: how arrays become its tensors, and how it is let go. */
interface Setting {
  /** Makes room for tensors of these sizes, where that helps. */
  readonly reserve?: (sizes: readonly number[], pool: number) => void;
  /** A tensor with these values: over the array, or a copy of it. Lane 0 is for parameters, 1 for gradients. */
  readonly place: (values: Float32Array, shape: readonly number[], pool: number) => Tensor;
  /** Takes a step otherwise than by `optimizer.step`. */
  readonly stepper?: (optimizer: Encoder) => StepBy;
  readonly dispose?: () => void;
}

/** What an optimizer offers besides `step`. */
export type Encoder = Pick<Optimizer, "encode">;

/** How steps are taken. */
export interface StepBy {
  readonly step: (gradients: Gradients) => void;
  /** As in an entrant. */
  readonly settle?: () => Promise<void>;
}

/** gradstep on a backend. Gradients are tensors of it, as they are where something on the same backend makes them. */
export function gradstepContender(
  name: string,
  description: string,
  set: () => Setting | Promise<Setting>,
): Contender {
  return {
    name,
    description,
    start: async ({ workload, gradients, parameters: copy }) => {
      const { reserve, place, stepper, dispose } = await set();
      const { shapes } = workload;
      const arrays = copy();
      const names = arrays.map((_, i) => `tensor${i}`);
      const placeAll = (values: readonly Float32Array[], pool: number): Tensor[] => {
        reserve?.(
          values.map(({ length }) => length),
          pool,
        );
        return values.map((array, i) => place(array, shapes[i], pool));
      };
      const tensors = placeAll(arrays, 0);
      const optimizer = createOptimizer(rule, byName(names, tensors));
      const named = gradients.map((kind) => byName(names, placeAll(kind, 1)));
      const { step, settle } = stepper?.(optimizer) ?? {
        step: (values: Gradients) => optimizer.step(values),
      };
      return {
        step: () => step(named[optimizer.iterations % gradientKinds]),
        ...(settle && { settle }),
        read: async () => {
          await settle?.();
          return Promise.all(tensors.map((tensor): Promise<Values> => tensor.read()));
        },
        stateBytes: async () => {
          await settle?.();
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
    reserve: (sizes, pool) => backend.reserve?.(sizes, pool),
    place: (values, shape, pool) => backend.tensor(shape, values, pool),
    dispose: () => {
      backend.dispose();
    },
  };
}

function byName<T>(names: readonly string[], values: readonly T[]): Record<string, T> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}
