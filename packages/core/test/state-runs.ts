import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import type { OptimizerState } from "../src/optimizer/state/optimizer-state.js";
import { reference } from "../src/reference.js";
import type { GroupOptions, OptimizerSpec } from "../src/rule/rule.js";
import { bits, numbers } from "./support.js";

export const sizes = { kernel: 7, bias: 3 };

export interface Run {
  readonly optimizer: Optimizer<string>;
  readonly arrays: Readonly<Record<string, Float32Array>>;
  /** Steps from the `from`-th gradient to before the `to`-th. */
  readonly steps: (from: number, to: number) => void;
}

/** An optimizer on `kernel` and `bias`, with these first values. */
export function start(
  spec: OptimizerSpec,
  groups: readonly GroupOptions[] = [],
  values?: Readonly<Record<string, Float32Array>>,
): Run {
  const backend = reference();
  const arrays = {
    kernel: values?.kernel.slice() ?? numbers(sizes.kernel, 1),
    bias: values?.bias.slice() ?? numbers(sizes.bias, 2),
  };
  const parameters = { kernel: backend.wrap(arrays.kernel), bias: backend.wrap(arrays.bias) };
  const optimizer = createOptimizer(spec, parameters, { groups });
  return {
    optimizer,
    arrays,
    steps: (from, to) => {
      for (let i = from; i < to; i += 1) {
        optimizer.step({
          kernel: numbers(sizes.kernel, 100 + i),
          // Not every step has a gradient for everything.
          bias: i % 3 === 1 ? null : numbers(sizes.bias, 200 + i),
        });
      }
    },
  };
}

/** A state with its arrays as bits, so that NaN and signed zeros compare. */
export function comparable({ slots, ...rest }: OptimizerState): unknown {
  const plain = Object.entries(slots).map(([parameter, own]) => [
    parameter,
    Object.entries(own).map(([slot, values]) => [slot, bits(values)]),
  ]);
  return { ...rest, slots: Object.fromEntries(plain) as unknown };
}
