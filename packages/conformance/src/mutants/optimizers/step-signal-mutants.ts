import type { Gradients, StepOptions, Tensor } from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { without, wrapping } from "./changed-optimizers.js";

type Call = readonly [gradients: Gradients, options?: StepOptions];

/** The flag in host memory; 0 for none. */
function flagOf(skip: Tensor | undefined): number {
  return (skip as { rowValues?: () => Uint32Array } | undefined)?.rowValues?.()[0] ?? 0;
}

/** Scales and learning rates of steps that are lost, or hold for too much. */
export const stepSignalMutants: readonly Mutant[] = [
  wrapping("scale is forgotten with accumulate", (optimizer, _, { accumulate = 1 }) => ({
    step: (...[gradients, options]: Call) => {
      const isScaled = options?.scale !== undefined && accumulate > 1;
      optimizer.step(gradients, isScaled ? without(options, "scale") : options);
    },
  })),
  wrapping("scale is forgotten in all calls but the first", (optimizer) => {
    let isScaled = false;
    return {
      step: (...[gradients, options]: Call) => {
        const scales = options?.scale !== undefined;
        optimizer.step(gradients, scales && isScaled ? without(options, "scale") : options);
        isScaled ||= scales;
      },
    };
  }),
  wrapping("scale holds for the steps after it", (optimizer) => {
    let last: StepOptions["scale"];
    return {
      step: (...[gradients, options]: Call) => {
        const isPlain = options === undefined && last !== undefined;
        optimizer.step(gradients, isPlain ? { scale: last! } : options);
        last = options?.scale ?? last;
      },
    };
  }),
  wrapping("the gradients of the last parameter are scaled twice", (optimizer) => ({
    step: (...[gradients, options]: Call) => {
      const { scale } = options ?? {};
      const last = optimizer.parameters.at(-1)!;
      const gradient = gradients?.[last];
      const isTwice = typeof scale === "number" && gradient instanceof Float32Array;
      optimizer.step(
        isTwice ? { ...gradients, [last]: gradient.map((g) => g * scale) } : gradients,
        options,
      );
    },
  })),
  wrapping("a step whose flag is not 0 is taken", (optimizer) => ({
    step: (...[gradients, options]: Call) => {
      optimizer.step(gradients, options && without(options, "skip"));
    },
  })),
  wrapping("a step whose flag is not 0 does not count", (optimizer) => ({
    step: (...[gradients, options]: Call) => {
      const { skip } = options ?? {};
      if (flagOf(skip) === 0) optimizer.step(gradients, options);
    },
  })),
  wrapping("the learning rate of a step stays", (optimizer) => ({
    step: (...[gradients, options]: Call) => {
      const { learningRate } = options ?? {};
      optimizer.step(gradients, options);
      if (typeof learningRate === "number") optimizer.learningRate = learningRate;
    },
  })),
  wrapping("a tensor with a scale or learning rate is read once", (optimizer) => {
    const known = new Map<Tensor, number>();
    const once = <T>(value: T): T | number => {
      const { view } = (value ?? {}) as Partial<Tensor>;
      if (view === undefined) return value;
      const tensor = value as Tensor;
      if (!known.has(tensor)) known.set(tensor, tensor.view!()[0]);
      return known.get(tensor)!;
    };
    return {
      step: (...[gradients, options]: Call) => {
        const { scale, learningRate } = options ?? {};
        optimizer.step(gradients, {
          ...options,
          ...(scale !== undefined && { scale: once(scale) }),
          ...(learningRate !== undefined && { learningRate: once(learningRate) }),
        });
      },
    };
  }),
];
