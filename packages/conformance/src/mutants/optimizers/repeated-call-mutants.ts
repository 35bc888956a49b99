import type { Gradients, StepOptions, Tensor } from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { wrapping } from "./changed-optimizers.js";

type Step = (gradients: Gradients, options?: StepOptions) => void;

/** Takes steps, and those with the tensors of the one before, and no options, in another way. */
export function repeating(step: Step, repeat: (gradients: Gradients) => void): Step {
  let last: Gradients = {};
  return (gradients, options) => {
    const given = Object.entries(gradients ?? {});
    const isRepeated =
      options === undefined && given.every(([name, gradient]) => gradient === last[name]);
    last = Object.fromEntries(given);
    if (isRepeated) repeat(gradients);
    else step(gradients, options);
  };
}

function isViewed(gradient: unknown): gradient is { view: () => Float32Array } {
  return typeof (gradient as { view?: unknown } | null)?.view === "function";
}

function finiteOr0(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** Steps with the tensors of the one before, of which more than the tensors is taken for the same. */
export const repeatedCallMutants: readonly Mutant[] = [
  wrapping("a step with the same tensors updates those of one rule alone", (optimizer) => ({
    step: repeating(
      (gradients, options) => {
        optimizer.step(gradients, options);
      },
      (gradients) => {
        const others = optimizer.config().groups.filter(({ rule }) => rule !== undefined);
        const left = Object.entries(gradients).filter(
          ([name]) => !others.some(({ match }) => (match as readonly string[]).includes(name)),
        );
        optimizer.step(left.length === 0 ? gradients : Object.fromEntries(left));
      },
    ),
  })),
  wrapping("a step with the same tensors is taken, whatever their values are", (optimizer) => ({
    step: repeating(
      (gradients, options) => {
        optimizer.step(gradients, options);
      },
      (gradients) => {
        const { nonFinite } = optimizer.config();
        const finite = Object.entries(gradients).map(([name, gradient]) => [
          name,
          nonFinite === "skip" && isViewed(gradient) ? gradient.view().map(finiteOr0) : gradient,
        ]);
        optimizer.step(Object.fromEntries(finite) as Gradients);
      },
    ),
  })),
  wrapping("a step with the same tensors has the learningRate of the step before", (optimizer) => {
    let rate: StepOptions["learningRate"];
    return {
      step: repeating(
        (gradients, options) => {
          rate = options?.learningRate;
          optimizer.step(gradients, options);
        },
        (gradients) => {
          optimizer.step(gradients, rate === undefined ? undefined : { learningRate: rate });
        },
      ),
    };
  }),
  wrapping(
    "a step with the tensors of the one before a remap updates none that it brought",
    (one) => {
      let brought: Readonly<Record<string, Tensor>> = {};
      return {
        rows: (names) => {
          const rows = one.rows(names);
          return {
            names: rows.names,
            count: rows.count,
            readCount: () => rows.readCount(),
            encodeRemap: (target, indices, options) => rows.encodeRemap(target, indices, options),
            remap: (indices, options = {}) => {
              rows.remap(indices, options);
              brought = options.parameters ?? {};
            },
          };
        },
        step: repeating(
          (gradients, options) => {
            one.step(gradients, options);
          },
          (gradients) => {
            const before = Object.values(brought).map((tensor) => tensor.view!().slice());
            one.step(gradients);
            Object.values(brought).forEach((tensor, i) => tensor.write(before[i]));
          },
        ),
      };
    },
  ),
  wrapping("a gradient that was the values of a sparse one is taken for it", (optimizer) => {
    let last: Gradients = {};
    return {
      step: (gradients: Gradients, options?: StepOptions) => {
        const given = Object.entries(gradients ?? {}).map(([name, gradient]) => {
          const before = last[name];
          const isSame =
            typeof before === "object" &&
            before !== null &&
            "values" in before &&
            before.values === gradient;
          return [name, isSame ? before : gradient];
        });
        const taken = gradients && (Object.fromEntries(given) as Gradients);
        optimizer.step(taken, options);
        last = taken ?? {};
      },
    };
  }),
];
