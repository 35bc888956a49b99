import {
  createOptimizer,
  GradstepError,
  hasNames,
  show,
  type GroupOptions,
  type Optimizer,
  type OptimizerSpec,
  type Tensor,
  type Variant,
} from "@gradstep/core";
import { checkOptions } from "@gradstep/core/internal";
import { Bounds, errorOverBound } from "../bounds/bounds.js";
import { roundToNearest, type ErrorModel } from "../bounds/error-model.js";
import { isAnything, point, type Interval } from "../bounds/interval.js";
import { tensorBounds } from "../bounds/tensor-bounds.js";
import { checkModel } from "../option-checks.js";
import type { CheckStats } from "./check-stats.js";
import {
  checkedUpdate,
  checkStepValues,
  isSelected,
  scalarsOf,
  tensorsOf,
  type CheckedStep,
  type CheckedUpdate,
} from "./checked-update.js";
import { metricsByRun } from "./metrics-by-run.js";
import { recordingReference, type RecordedRun } from "./recording-reference.js";
import type { Snapshot } from "./snapshot.js";
import type { BitDifference, ValueLocation, Violation } from "./violation.js";

/** The optimizer that a checker follows. */
export interface CheckedOptimizer {
  readonly spec: OptimizerSpec;
  /** Of the parameters, by name. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly groups?: readonly GroupOptions[] | undefined;
  /** How far results may be from exact; round to nearest if left out. */
  readonly model?: ErrorModel | undefined;
  /** Of the parameters before the first step, of which slots may be copies; zeros if left out. */
  readonly values?: Readonly<Record<string, ArrayLike<number>>> | undefined;
}

const stepNames: readonly (keyof CheckedStep)[] = [
  "before",
  "gradients",
  "after",
  "stats",
  "options",
  "metrics",
  "gradientBounds",
];

/**
 * Checks a backend step by step: computes from the backend's own values before a step which values may follow.
 *
 * It has an optimizer of its own, which computes the scalars of each step. Set hyperparameters, restore states,
 * remap and reset rows in both optimizers.
 */
export class Checker {
  /** Has the checked optimizer's hyperparameters and step number. Its values have no meaning. */
  readonly optimizer: Optimizer<string>;
  readonly #parameters: Readonly<Record<string, Tensor>>;
  readonly #reference = recordingReference();
  readonly #model: ErrorModel;
  /** For elementwise rules alone, which are checked element by element. */
  readonly #bounds = new Map<Variant, Bounds>();
  #violation: Violation | undefined;
  #difference: BitDifference | undefined;

  /** @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, `INVALID_PARAMETER`, and as `createOptimizer` does */
  constructor(checked: CheckedOptimizer) {
    checkOptions("Checker", checked, ["spec", "shapes", "groups", "model", "values"]);
    checkModel("Checker", checked.model);
    const { spec, shapes, groups = [], model = roundToNearest, values = {} } = checked;
    for (const [name, table] of Object.entries({ shapes, values }))
      if (!hasNames(table))
        throw new GradstepError(
          `Checker: ${name} is ${show(table)}; expected an object by the names of parameters.`,
          { code: "INVALID_PARAMETER" },
        );
    const { backend } = this.#reference;
    this.#model = model;
    this.#parameters = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape, values[name])]),
    );
    this.optimizer = createOptimizer(spec, this.#parameters, { groups });
  }

  /** Names of slots that all parameters of a rule share. */
  get sharedSlots(): readonly string[] {
    return this.#reference
      .variants()
      .flatMap(({ slots }) =>
        slots.flatMap(({ name, extent }) => (extent === "all" ? [name] : [])),
      );
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
   * @throws {GradstepError} `INVALID_PARAMETER` where values are missing, and as `optimizer.step` does
   */
  step(step: CheckedStep): void {
    checkOptions("Checker.step", step, stepNames);
    checkStepValues(step);
    const { before, gradients, stats, options } = step;
    // Of a reset since the last step, which changes nothing but values.
    this.#reference.take();
    this.optimizer.step(gradients, options);
    this.#violation = undefined;
    this.#difference = undefined;
    const taken = this.#reference.take();
    const metricsOf = metricsByRun(Object.values(this.#parameters), taken.flat(), step.metrics);
    for (const runs of taken) {
      this.#execute(runs, before);
      const checked = runs.map((run) =>
        run.updates.map((update) =>
          checkedUpdate(this.#nameOf(update.parameter), run.variant, update, {
            ...step,
            metrics: metricsOf(run),
          }),
        ),
      );
      const [first] = checked.flat();
      const bounds = runs.length === 1 && this.#boundsOf(first.variant);
      if (!bounds || checked.flat().some(({ update }) => update.mask !== undefined))
        this.#checkTensors(checked, stats);
      else for (const one of checked[0]) this.#checkElements(bounds, one, stats);
    }
  }

  /** Computes what the reference gives for the backend's values before the step. */
  #execute(runs: readonly RecordedRun[], before: Readonly<Record<string, Snapshot>>): void {
    for (const { variant, updates } of runs)
      for (const update of updates) {
        const values = before[this.#nameOf(update.parameter)];
        for (const [name, tensor] of tensorsOf(variant, update))
          if (values[name] !== undefined) tensor.write(values[name]);
      }
    this.#reference.execute(runs);
  }

  #boundsOf(variant: Variant): Bounds | undefined {
    const isElementwise =
      variant.passPlan.passes.length === 1 &&
      variant.slots.every(({ extent }) => extent === "element");
    if (!isElementwise) return undefined;
    const bounds = this.#bounds.get(variant) ?? new Bounds(variant.perElement, this.#model);
    this.#bounds.set(variant, bounds);
    return bounds;
  }

  #nameOf(parameter: Tensor): string {
    return Object.keys(this.#parameters).find((one) => this.#parameters[one] === parameter)!;
  }

  #checkElements(bounds: Bounds, checked: CheckedUpdate, stats: CheckStats): void {
    const { inputs, outputs, nodes } = bounds.program;
    const { gradient, gradientBound, before } = checked;
    const scalars = scalarsOf(checked);
    for (const { name, node } of inputs)
      if (scalars[name] !== undefined) bounds.input(node, scalars[name]);
    const loads = inputs.flatMap(({ name, node }) =>
      nodes[node].varies ? [{ node, values: name === "g" ? gradient : before[name] }] : [],
    );
    const gradientNode = inputs.find(({ name }) => name === "g")?.node;
    for (let i = 0; i < gradient.length; i += 1) {
      for (const { node, values } of loads) bounds.input(node, values[i]);
      if (gradientBound !== undefined && gradientNode !== undefined)
        bounds.inputInterval(gradientNode, gradientBound[i]);
      const intervals = bounds.compute();
      for (let k = 0; k < outputs.length; k += 1)
        this.#compare(checked, outputs[k].name, i, intervals[k], stats);
    }
  }

  /** All tensors together, since values of one may depend on another. */
  #checkTensors(runs: readonly (readonly CheckedUpdate[])[], stats: CheckStats): void {
    const bounds = tensorBounds(
      runs.map((updates) => ({
        variant: updates[0].variant,
        tensors: updates.map((one) => ({
          shape: one.update.parameter.shape,
          arrays: { ...one.before, g: one.gradient },
          ...(one.gradientBound === undefined ? {} : { gradient: one.gradientBound }),
          scalars: scalarsOf(one),
          ...(one.update.unselectedRows === "keep" && one.update.mask !== undefined
            ? { rows: one.update.mask as Uint32Array }
            : {}),
        })),
      })),
      this.#model,
    );
    runs.forEach((updates, r) => {
      updates.forEach((checked, t) => {
        const { after, before, update } = checked;
        for (const [name, intervals] of Object.entries(bounds[r][t])) {
          if (after[name] === undefined) continue;
          const isFixed = name === "p" && update.unselectedRows === "decay";
          intervals.forEach((interval, i) => {
            const isKept = isFixed && !isSelected(update, i);
            this.#compare(checked, name, i, isKept ? point(before.p[i]) : interval, stats);
          });
        }
      });
    });
  }

  /** Compares one value with the reference and with its bound. */
  #compare(
    { variant, name: parameter, after, expected }: CheckedUpdate,
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
