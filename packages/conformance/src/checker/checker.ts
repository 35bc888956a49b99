import {
  createOptimizer,
  dimensionsOf,
  GradstepError,
  type GroupOptions,
  type Kernel,
  type Optimizer,
  type OptimizerSpec,
  type Tensor,
  type Update,
  type Values,
  type Variant,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { Bounds, errorOverBound } from "../bounds/bounds.js";
import { roundToNearest, type ErrorModel } from "../bounds/error-model.js";
import { isAnything, type Interval } from "../bounds/interval.js";
import { TensorBounds } from "../bounds/tensor-bounds.js";
import type { CheckStats } from "./check-stats.js";
import type { Snapshot } from "./snapshot.js";
import type { BitDifference, ValueLocation, Violation } from "./violation.js";

/** A rule of the checked optimizer. */
interface CheckedRule {
  readonly variant: Variant;
  /** That of the reference. */
  readonly kernel: Kernel;
  /** For rules of elements alone, which are checked element by element. */
  readonly bounds: Bounds | undefined;
  readonly tensorBounds: TensorBounds;
}

/** The updates of one rule in a step. */
interface Batch {
  readonly rule: CheckedRule;
  readonly updates: readonly Update[];
}

/** One parameter of a step: its values before and after, and those of the reference. */
interface Checked {
  readonly name: string;
  readonly update: Update;
  readonly before: Snapshot;
  readonly gradient: Float32Array;
  readonly after: Snapshot;
  readonly expected: Snapshot;
}

/**
 * Checks a backend step by step: computes from the backend's own values before a step which values may follow.
 *
 * It has an optimizer of its own, which computes the scalars of each step. Set hyperparameters and restore states in
 * both optimizers.
 */
export class Checker {
  /** Has the checked optimizer's hyperparameters and step number. Its values have no meaning. */
  readonly optimizer: Optimizer;
  readonly #parameters: Readonly<Record<string, Tensor>>;
  /** The updates of the current step. */
  #batches: Batch[] = [];
  #violation: Violation | undefined;
  #difference: BitDifference | undefined;

  constructor(
    spec: OptimizerSpec,
    shapes: Readonly<Record<string, readonly number[]>>,
    groups: readonly GroupOptions[] = [],
    model: ErrorModel = roundToNearest,
  ) {
    const backend = reference();
    const compile = backend.compile.bind(backend);
    backend.compile = (variant) => {
      const kernel = compile(variant);
      const isElementwise = variant.schedule.passes.length === 1 && hasElementSlots(variant);
      const rule = {
        variant,
        kernel,
        bounds: isElementwise ? new Bounds(variant.perElement, model) : undefined,
        tensorBounds: new TensorBounds(variant, model),
      };
      return {
        source: kernel.source,
        run: (updates, count) => {
          this.#batches.push({ rule, updates: updates.slice(0, count) });
        },
      };
    };
    backend.runTogether = () => {
      throw new GradstepError(
        "Rules of one step have a reduction over all tensors in common, for which there are no bounds; expected rules that have none.",
        { code: "UNSUPPORTED" },
      );
    };
    this.#parameters = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape)]),
    );
    this.optimizer = createOptimizer(spec, this.#parameters, { groups });
  }

  /** The first value of the last step that is outside its bound. */
  get violation(): Violation | undefined {
    return this.#violation;
  }

  /** The first value of the last step whose bits differ from the f32 reference's. */
  get difference(): BitDifference | undefined {
    return this.#difference;
  }

  /**
   * Checks one step of all parameters that have a gradient.
   *
   * @param before the backend's values before the step, by parameter
   * @param gradients what the step was given
   * @param after the backend's values after the step
   * @param stats the findings are added to it
   */
  step(
    before: Readonly<Record<string, Snapshot>>,
    gradients: Readonly<Record<string, Float32Array>>,
    after: Readonly<Record<string, Snapshot>>,
    stats: CheckStats,
  ): void {
    this.#violation = undefined;
    this.#difference = undefined;
    // A step without updates runs no kernel.
    this.#batches = [];
    this.optimizer.step(gradients);
    for (const { rule, updates } of this.#batches) {
      const names = updates.map(({ parameter }) => this.#nameOf(parameter));
      const expected = expectedOf(
        rule,
        updates,
        names.map((name) => before[name]),
      );
      const checked = updates.map((update, i) => ({
        name: names[i],
        update,
        before: before[names[i]],
        gradient: gradients[names[i]],
        after: after[names[i]],
        expected: expected[i],
      }));
      if (rule.bounds === undefined) this.#checkTensors(rule, checked, stats);
      else for (const one of checked) this.#checkElements(rule, rule.bounds, one, stats);
    }
  }

  #nameOf(parameter: Tensor): string {
    return Object.keys(this.#parameters).find((one) => this.#parameters[one] === parameter)!;
  }

  #checkElements(rule: CheckedRule, bounds: Bounds, checked: Checked, stats: CheckStats): void {
    const { inputs, outputs, nodes } = bounds.program;
    const { scalars } = rule.variant;
    const { gradient, before, update } = checked;
    for (const { name, node } of inputs) {
      const position = scalars.indexOf(name);
      if (position >= 0) bounds.input(node, Math.fround(update.scalars[position]));
    }
    const loads = inputs.flatMap(({ name, node }) =>
      nodes[node].varies ? [{ node, values: name === "g" ? gradient : before[name] }] : [],
    );
    for (let i = 0; i < gradient.length; i += 1) {
      for (const { node, values } of loads) bounds.input(node, values[i]);
      const intervals = bounds.compute();
      for (let k = 0; k < outputs.length; k += 1)
        this.#compare(rule, checked, outputs[k].name, i, intervals[k], stats);
    }
  }

  /** All tensors of a step together, since values of one may depend on another. */
  #checkTensors(rule: CheckedRule, all: readonly Checked[], stats: CheckStats): void {
    const { variant, tensorBounds } = rule;
    const bounds = tensorBounds.compute(
      all.map(({ update, before, gradient }) => ({
        dimensions: dimensionsOf(update.parameter.shape, variant.matrices),
        arrays: { ...before, g: gradient },
        scalars: Object.fromEntries(
          variant.scalars.map((name, i) => [name, Math.fround(update.scalars[i])]),
        ),
      })),
    );
    const metrics = new Set(
      variant.slots.flatMap(({ name, isMetric }) => (isMetric ? [name] : [])),
    );
    all.forEach((checked, t) => {
      for (const [name, intervals] of Object.entries(bounds[t])) {
        // A snapshot holds the state, of which metrics are no part.
        if (metrics.has(name)) continue;
        intervals.forEach((interval, i) => this.#compare(rule, checked, name, i, interval, stats));
      }
    });
  }

  /** Compares one value with the reference and with its bound. */
  #compare(
    { variant }: CheckedRule,
    { name: parameter, after, expected }: Checked,
    output: string,
    element: number,
    interval: Interval,
    stats: CheckStats,
  ): void {
    const got = after[output][element];
    const single = expected[output][element];
    const { iterations: step } = this.optimizer;
    const location = (): ValueLocation => ({
      rule: variant.label,
      step,
      parameter,
      output,
      element,
    });
    stats.elements += 1;
    if (!Object.is(got, single)) {
      stats.differingBits += 1;
      this.#difference ??= { ...location(), got, expected: single };
    }
    if (isAnything(interval)) {
      stats.unbounded += 1;
      return;
    }
    const ratio = errorOverBound(got, interval);
    if (ratio > stats.worstErrorOverBound) stats.worstErrorOverBound = ratio;
    if (ratio > 1)
      this.#violation ??= { ...location(), got, interval: { ...interval }, errorOverBound: ratio };
  }
}

function hasElementSlots({ slots }: Variant): boolean {
  return slots.every(({ extent }) => extent === "element");
}

/** The results of the f32 reference for the same values, of all tensors of a step. */
function expectedOf(
  { variant, kernel }: CheckedRule,
  updates: readonly Update[],
  before: readonly Snapshot[],
): Snapshot[] {
  const names = ["p", ...variant.slots.map(({ name }) => name)];
  const tensorsOf = ({ parameter, slots }: Update): Record<string, Tensor> =>
    Object.fromEntries([parameter, ...slots].map((tensor, i) => [names[i], tensor]));
  updates.forEach((update, t) => {
    const tensors = tensorsOf(update);
    for (const name of names)
      if (before[t][name] !== undefined) tensors[name].write(before[t][name]);
  });
  kernel.run(updates, updates.length);
  return updates.map((update) =>
    Object.fromEntries(
      Object.entries(tensorsOf(update)).map(([name, tensor]) => [
        name,
        (tensor as unknown as { view(): Values }).view(),
      ]),
    ),
  );
}
