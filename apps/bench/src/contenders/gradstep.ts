import {
  createOptimizer,
  type Backend,
  type Gradients,
  type Optimizer,
  type OptimizerSpec,
  type Tensor,
  type Values,
  type WrappingBackend,
} from "@gradstep/core";
import { rule } from "../adam.js";
import { gradientKinds } from "../data.js";
import type { Contender } from "./contender.js";

/** A backend, and how it makes tensors from arrays and steps with an optimizer. */
interface BackendSetup {
  /** Allocates memory for tensors of these sizes, if that helps. */
  readonly reserve?: (sizes: readonly number[], pool: number) => void;
  /** A tensor with these values: a view of the array or a copy. Pool 0 is for parameters, 1 for gradients. */
  readonly tensor: (values: Float32Array, shape: readonly number[], pool: number) => Tensor;
  /** How steps are made, if not by `optimizer.step`. */
  readonly stepping?: (optimizer: Encoder) => Stepping;
  readonly dispose?: () => void;
}

/** What an optimizer offers besides `step`. */
export type Encoder = Pick<Optimizer, "encode">;

export interface Stepping {
  readonly step: (gradients: Gradients) => void;
  /** As in `RunningContender`. */
  readonly waitUntilDone?: () => Promise<void>;
}

/**
 * gradstep on a backend. Gradients are tensors of the same backend, as they are if the gradients are computed on it.
 */
export function gradstepContender(
  name: string,
  description: string,
  setUp: () => BackendSetup | Promise<BackendSetup>,
  spec: OptimizerSpec = rule,
): Contender {
  return {
    name,
    description,
    spec,
    start: async ({ workload, gradients, parameters: copy }) => {
      const { reserve, tensor, stepping, dispose } = await setUp();
      const { shapes } = workload;
      const arrays = copy();
      const names = arrays.map((_, i) => `tensor${i}`);
      const tensorsFor = (values: readonly Float32Array[], pool: number): Tensor[] => {
        reserve?.(
          values.map(({ length }) => length),
          pool,
        );
        return values.map((array, i) => tensor(array, shapes[i], pool));
      };
      const tensors = tensorsFor(arrays, 0);
      const optimizer = createOptimizer(spec, byName(names, tensors));
      const named = gradients.map((kind) => byName(names, tensorsFor(kind, 1)));
      const { step, waitUntilDone } = stepping?.(optimizer) ?? {
        step: (values: Gradients) => optimizer.step(values),
      };
      return {
        step: () => step(named[optimizer.iterations % gradientKinds]),
        ...(waitUntilDone && { waitUntilDone }),
        read: async () => {
          await waitUntilDone?.();
          return Promise.all(tensors.map((parameter): Promise<Values> => parameter.read()));
        },
        stateBytes: async () => {
          await waitUntilDone?.();
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

/** Updates the arrays themselves. */
export function inArrays(backend: WrappingBackend<Float32Array>): BackendSetup {
  return { tensor: (values, shape) => backend.wrap(values, { shape }) };
}

/** Copies the arrays into the backend's memory first. */
export function inBackendMemory(backend: Backend & { readonly dispose: () => void }): BackendSetup {
  return {
    reserve: (sizes, pool) => backend.reserve?.(sizes, pool),
    tensor: (values, shape, pool) => backend.tensor(shape, values, pool),
    dispose: () => {
      backend.dispose();
    },
  };
}

function byName<T>(names: readonly string[], values: readonly T[]): Record<string, T> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}
