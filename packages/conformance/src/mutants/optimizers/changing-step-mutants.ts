import type { Gradients, ResetOptions, StepOptions, Tensor } from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { without, wrapping } from "./changed-optimizers.js";

type Call = readonly [gradients: Gradients, options?: StepOptions];

/** What stays from one call to the next, or is lost. */
export const changingStepMutants: readonly Mutant[] = [
  wrapping("clear is forgotten in all steps but the first", (optimizer) => ({
    step: (...[gradients, options]: Call) => {
      const clears = options?.clear !== undefined && optimizer.iterations > 0;
      optimizer.step(gradients, clears ? without(options, "clear") : options);
    },
  })),
  wrapping("clear holds for the steps after it", (optimizer) => {
    let clears = false;
    return {
      step: (...[gradients, options]: Call) => {
        const isPlain = options === undefined && clears;
        optimizer.step(gradients, isPlain ? { clear: true } : options);
        clears ||= options?.clear === true;
      },
    };
  }),
  wrapping("clear holds for the steps after it, if rows count their own", (optimizer) => {
    let clears = false;
    return {
      step: (...[gradients, options]: Call) => {
        const isPlain = options === undefined && clears;
        optimizer.step(gradients, isPlain ? { clear: true } : options);
        clears ||= options?.clear === true && optimizer.config().rowSteps === true;
      },
    };
  }),
  wrapping("a mask holds for the step after it, if rows count their own", (optimizer) => {
    let last: StepOptions["rows"];
    return {
      step: (...[gradients, options]: Call) => {
        const isDense = Object.values(gradients ?? {}).every((one) => ArrayBuffer.isView(one));
        const isPlain = options === undefined && last !== undefined && isDense;
        optimizer.step(gradients, isPlain ? { rows: last } : options);
        last = optimizer.config().rowSteps === true ? options?.rows : undefined;
      },
    };
  }),
  wrapping(
    "with copies, other rows are treated as by the first mask",
    (optimizer, _, { copies }) => {
      let first: StepOptions["unselectedRows"];
      return {
        step: (...[gradients, options]: Call) => {
          if (options?.rows !== undefined) first ??= options.unselectedRows ?? "keep";
          const isChanged = options?.rows !== undefined && copies !== undefined;
          optimizer.step(gradients, isChanged ? { ...options, unselectedRows: first! } : options);
        },
      };
    },
  ),
  wrapping("a reset has the rows of the one before, if it names none", (optimizer) => {
    let last: ResetOptions["rows"];
    return {
      reset: (names, { rows, ...options } = {}) => {
        const used = rows ?? last;
        last = used;
        const isTooShort = names === undefined && rows === undefined;
        if (used === undefined || isTooShort) optimizer.reset(names, { ...options });
        else optimizer.reset(names, { ...options, rows: used });
      },
    };
  }),
  wrapping("gradients of removed parameters are ignored", (optimizer) => {
    const removed: string[] = [];
    return {
      remove: (names) => {
        removed.push(...[names].flat());
        optimizer.remove(names);
      },
      step: (...[gradients, options]: Call) => {
        const known = Object.entries(gradients ?? {}).filter(([name]) => !removed.includes(name));
        optimizer.step(removed.length > 0 ? Object.fromEntries(known) : gradients, options);
      },
    };
  }),
  wrapping("accumulated zeros lose their sign", (optimizer, _, { accumulate = 1 }) => ({
    step: (...[gradients, options]: Call) => {
      const changed = Object.entries(gradients ?? {}).map(([name, one]) => [
        name,
        one instanceof Float32Array && accumulate > 1 ? one.map((value) => value + 0) : one,
      ]);
      optimizer.step(gradients && Object.fromEntries(changed), options);
    },
  })),
  wrapping("copies keep the trained weights after swap", (optimizer, _, { copies = {} }) => ({
    swap: () => {
      const targets = Object.values(copies).map((one) => (one as { readonly to: Tensor }).to);
      const before = targets.map((target) => Float32Array.from(target.view!()));
      optimizer.swap();
      if (optimizer.isSwapped) targets.forEach((target, i) => target.write(before[i]));
    },
  })),
  wrapping("groups are evaluated with the rate of the optimizer", (optimizer) => ({
    swap: () => {
      const { groups, learningRate } = optimizer;
      const rates = groups.map((group) => group.learningRate);
      for (const group of groups) group.learningRate = learningRate;
      optimizer.swap();
      groups.forEach((group, i) => {
        group.learningRate = rates[i];
      });
    },
  })),
];
