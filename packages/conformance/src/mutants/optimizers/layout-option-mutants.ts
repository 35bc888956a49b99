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
import { withOptions, wrapping } from "./optimizer-mutants.js";

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
  withOptions(
    "gradients are never by activated values",
    ({ activatedGradients: _, ...options }) => options,
  ),
  withOptions("caller-owned slots are not used", ({ slots: _, ...options }) => options),
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
  wrapping("a step clears nothing", (optimizer) => ({
    step: (gradients: Gradients, options?: StepOptions) => {
      const { clear: _, ...others } = options ?? {};
      optimizer.step(gradients, others);
    },
  })),
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
  stepping("the scale of a step is ignored", ({ scale: _, ...options }) => options),
  stepping("the scale of a step is applied twice", ({ scale, ...options }) =>
    typeof scale === "number"
      ? { ...options, scale: scale * scale }
      : { ...options, ...(scale === undefined ? {} : { scale }) },
  ),
  stepping("gradients are divided by the scale of a step", ({ scale, ...options }) =>
    typeof scale === "number"
      ? { ...options, scale: 1 / scale }
      : { ...options, ...(scale === undefined ? {} : { scale }) },
  ),
  stepping("every step is taken", ({ skip: _, ...options }) => options),
  stepping("a step that is skipped clears nothing", ({ clear, ...options }) =>
    isSkipped(options) || clear === undefined ? options : { ...options, clear },
  ),
  stepping("the learning rate of a step is ignored", ({ learningRate: _, ...options }) => options),
  stepping(
    "the learning rate of a step is that of its first parameter",
    ({ learningRate, ...options }) => {
      if (learningRate === undefined || typeof learningRate === "number" || isTensor(learningRate))
        return { ...options, ...(learningRate === undefined ? {} : { learningRate }) };
      const [first] = Object.values(learningRate);
      const rates = Object.keys(learningRate).map((name) => [name, first]);
      return { ...options, learningRate: Object.fromEntries(rates) as Record<string, number> };
    },
  ),
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
