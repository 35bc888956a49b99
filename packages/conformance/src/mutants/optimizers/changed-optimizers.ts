import {
  createOptimizer,
  type Optimizer,
  type OptimizerMethods,
  type OptimizerOptions,
  type OptimizerState,
  type Tensor,
} from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { target } from "../mutable-target.js";

/** Replaces some methods of every optimizer that is made. */
export function wrapping(
  name: string,
  change: (
    optimizer: Optimizer,
    parameters: Readonly<Record<string, Tensor>>,
    options: OptimizerOptions,
  ) => Partial<OptimizerMethods<string>>,
): Mutant {
  const create: typeof createOptimizer = (spec, parameters, options) => {
    const optimizer = createOptimizer(spec, parameters, options);
    const own = change(
      optimizer as unknown as Optimizer,
      parameters,
      (options ?? {}) as OptimizerOptions,
    );
    return new Proxy(optimizer, {
      get: (target, key) =>
        Object.hasOwn(own, key)
          ? Reflect.get(own, key)
          : bound(target, Reflect.get(target, key, target)),
      set: (target, key, value) => Reflect.set(target, key, value, target),
    });
  };
  return { name, kind: "optimizer", target: () => target({ create }) };
}

/** The same options, one left out. */
export function without<T extends object>(options: T, name: keyof T): T {
  return Object.fromEntries(Object.entries(options).filter(([key]) => key !== name)) as T;
}

/** Optimizers with other options than those that were given. */
export function withOptions(
  name: string,
  change: (options: OptimizerOptions) => OptimizerOptions,
): Mutant {
  const create: typeof createOptimizer = (spec, parameters, options = {}) =>
    createOptimizer(spec, parameters, change(options as OptimizerOptions) as typeof options);
  return { name, kind: "optimizer", target: () => target({ create }) };
}

/** Methods of the optimizer need the optimizer itself as their receiver. */
function bound(target: object, value: unknown): unknown {
  return typeof value === "function" ? value.bind(target) : value;
}

/** Restores a changed copy of the state that it is given; an invalid state is still refused. */
export function restoring(name: string, change: (state: OptimizerState) => OptimizerState): Mutant {
  return wrapping(name, (optimizer) => ({
    restore: (state, options) => {
      optimizer.restore(state, options);
      return optimizer.restore(change(state), options);
    },
  }));
}
