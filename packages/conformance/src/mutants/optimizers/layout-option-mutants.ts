import {
  createOptimizer,
  type CopyOptions,
  type Gradients,
  type Optimizer,
  type OptimizerOptions,
  type StepOptions,
  type Tensor,
} from "@gradstep/core";
import { fieldOf, readField } from "../../layouts/field.js";
import type { Mutant } from "../mutant.js";
import { target } from "../mutable-target.js";
import { withOptions, without, wrapping } from "./changed-optimizers.js";

/** Copies of parameters, changed. */
function withCopies(
  name: string,
  change: (copies: readonly CopyOptions[]) => readonly CopyOptions[],
): Mutant {
  return withOptions(name, ({ copies = {}, ...options }) => ({
    ...options,
    copies: Object.fromEntries(
      Object.entries(copies).map(([parameter, all]) => [
        parameter,
        change(all as readonly CopyOptions[]),
      ]),
    ),
  }));
}

/** Steps with other options than those that were given. */
function stepping(name: string, change: (options: StepOptions) => StepOptions): Mutant {
  return wrapping(name, (optimizer) => ({
    step: (gradients: Gradients, options?: StepOptions) => {
      optimizer.step(gradients, options && change(options));
    },
  }));
}

/** The same options with another scale, if it is a number. */
function withScale(options: StepOptions, change: (scale: number) => number): StepOptions {
  const { scale } = options;
  return typeof scale === "number" ? { ...options, scale: change(scale) } : options;
}

/** Whether a step with these options changes nothing. */
function isSkipped({ skip }: StepOptions): boolean {
  if (skip === undefined) return false;
  const { words, field } = fieldOf(skip);
  return readField(words, field)[0] !== 0;
}

function isTensor(value: object): value is Tensor {
  return "backend" in value;
}

/** Options of layouts that an optimizer forgets, or takes in another way. */
export const layoutOptionMutants: readonly Mutant[] = [
  withCopies("an optimizer has no copies", () => []),
  withCopies("copies are what the parameter is", (copies) => copies.map(({ to }) => ({ to }))),
  withOptions("gradients are never by activated values", (options) =>
    without(options, "activatedGradients"),
  ),
  withOptions("caller-owned slots are not used", (options) => without(options, "slots")),
  withOptions("one caller-owned slot is used", ({ slots = {}, ...options }) => ({
    ...options,
    slots: Object.fromEntries(
      Object.entries(slots).map(([name, tensors]) => [
        name,
        Object.fromEntries(Object.entries(tensors).slice(0, 1)),
      ]),
    ),
  })),
  {
    name: "caller-owned slots get their first values with the optimizer",
    kind: "optimizer",
    group: "layouts",
    target: () =>
      target({
        create: (spec, parameters, options) => {
          const optimizer = createOptimizer(spec, parameters, options);
          const names = Object.keys((options as OptimizerOptions | undefined)?.slots ?? {});
          if (names.length > 0) (optimizer as unknown as Optimizer).reset(names);
          return optimizer;
        },
      }),
  },
  stepping("a step clears nothing", (options) => without(options, "clear")),
  wrapping("arrays of gradients are not cleared", (optimizer) => ({
    step: (gradients: Gradients, options?: StepOptions) => {
      const copies = Object.entries(gradients ?? {}).map(([name, one]) => [
        name,
        options?.clear === true && ArrayBuffer.isView(one) ? one.slice() : one,
      ]);
      optimizer.step(gradients && Object.fromEntries(copies), options);
    },
  })),
  wrapping("a step clears whatever it was given", (optimizer) => ({
    step: (gradients: Gradients, options?: StepOptions) => {
      const isDense = Object.values(gradients ?? {}).every((one) => !one || !("indices" in one));
      optimizer.step(gradients, isDense ? { ...options, clear: true } : options);
    },
  })),
  stepping("the scale of a step is ignored", (options) => without(options, "scale")),
  stepping("the scale of a step is applied twice", (options) =>
    withScale(options, (scale) => scale * scale),
  ),
  stepping("gradients are divided by the scale of a step", (options) =>
    withScale(options, (scale) => 1 / scale),
  ),
  stepping("every step is taken", (options) => without(options, "skip")),
  stepping("a step that is skipped clears nothing", (options) =>
    isSkipped(options) ? without(options, "clear") : options,
  ),
  stepping("the learning rate of a step is ignored", (options) => without(options, "learningRate")),
  stepping("the learning rate of a step is that of its first parameter", (options) => {
    const { learningRate } = options;
    if (typeof learningRate !== "object" || isTensor(learningRate)) return options;
    const [first] = Object.values(learningRate);
    const rates = Object.keys(learningRate).map((name) => [name, first]);
    return { ...options, learningRate: Object.fromEntries(rates) as Record<string, number> };
  }),
  wrapping("a step that is skipped is not counted", (optimizer) => ({
    step: (gradients: Gradients, options?: StepOptions) => {
      if (!isSkipped(options ?? {})) optimizer.step(gradients, options);
    },
  })),
  wrapping("reset leaves caller-owned slots as they are", (optimizer, _, { slots = {} }) => ({
    reset: (names, options) => {
      const hasOwn = Object.values(slots).some((tensors) => Object.keys(tensors).length > 0);
      if (!hasOwn) optimizer.reset(names, options);
    },
  })),
  wrapping("fillCopies does nothing", () => ({ fillCopies: () => {} })),
  wrapping("fillCopies fills the first parameter's", (optimizer) => ({
    fillCopies: (names) => {
      const [first] = optimizer.parameters;
      optimizer.fillCopies(names ?? first);
    },
  })),
];
