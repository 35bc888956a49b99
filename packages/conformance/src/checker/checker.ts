import {
  createOptimizer,
  GradstepError,
  type GroupOptions,
  type Kernel,
  type Optimizer,
  type OptimizerSpec,
  type Tensor,
  type Update,
  type Values,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { Bounds, errorOverBound } from "../bounds/bounds.js";
import { roundToNearest, type ErrorModel } from "../bounds/error-model.js";
import { isAnything } from "../bounds/interval.js";
import type { CheckStats } from "./check-stats.js";
import type { Snapshot } from "./snapshot.js";
import type { BitDifference, ValueLocation, Violation } from "./violation.js";

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
  #updates: readonly Update[] = [];
  readonly #kernel: Kernel;
  readonly #bounds: Bounds;
  readonly #slots: readonly string[];
  readonly #label: string;
  readonly #scalars: readonly { readonly node: number; readonly position: number }[];
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
    let compiled: { kernel: Kernel; bounds: Bounds } | undefined;
    let slots: readonly string[] = [];
    let label = spec.rule.name;
    let scalars: readonly string[] = [];
    backend.compile = (variant) => {
      if (variant.schedule.passes.length > 1) {
        throw new GradstepError(`${variant.label} has reductions, for which there are no bounds.`, {
          code: "UNSUPPORTED",
        });
      }
      const kernel = compile(variant);
      compiled = { kernel, bounds: new Bounds(variant.perElement, model) };
      slots = variant.slots.map(({ name }) => name);
      ({ label, scalars } = variant);
      return {
        source: kernel.source,
        run: (updates, count) => {
          this.#updates = updates.slice(0, count);
        },
      };
    };
    this.#parameters = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape)]),
    );
    this.optimizer = createOptimizer(spec, this.#parameters, { groups });
    this.#kernel = compiled!.kernel;
    this.#bounds = compiled!.bounds;
    this.#slots = slots;
    this.#label = label;
    this.#scalars = this.#bounds.program.inputs.flatMap(({ name, node }) => {
      const position = scalars.indexOf(name);
      return position < 0 ? [] : [{ node, position }];
    });
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
    this.#updates = [];
    this.optimizer.step(gradients);
    for (const update of this.#updates) {
      const name = Object.keys(this.#parameters).find(
        (one) => this.#parameters[one] === update.parameter,
      )!;
      this.#checker(name, update, before[name], gradients[name], after[name], stats);
    }
  }

  #checker(
    parameter: string,
    update: Update,
    before: Snapshot,
    gradient: Float32Array,
    after: Snapshot,
    stats: CheckStats,
  ): void {
    const bounds = this.#bounds;
    const { inputs, outputs, nodes } = bounds.program;
    const expected = this.#reference(update, before);
    for (const { node, position } of this.#scalars)
      bounds.input(node, Math.fround(update.scalars[position]));
    const loads = inputs.flatMap(({ name, node }) =>
      nodes[node].varies ? [{ node, values: name === "g" ? gradient : before[name] }] : [],
    );
    for (let i = 0; i < gradient.length; i += 1) {
      for (const { node, values } of loads) bounds.input(node, values[i]);
      const intervals = bounds.compute();
      for (let k = 0; k < outputs.length; k += 1) {
        const { name } = outputs[k];
        const got = after[name][i];
        const interval = intervals[k];
        stats.elements += 1;
        if (!Object.is(got, expected[name][i])) {
          stats.differingBits += 1;
          this.#difference ??= {
            ...this.#locate(parameter, name, i),
            got,
            expected: expected[name][i],
          };
        }
        if (isAnything(interval)) {
          stats.unbounded += 1;
          continue;
        }
        const ratio = errorOverBound(got, interval);
        if (ratio > stats.worstErrorOverBound) stats.worstErrorOverBound = ratio;
        if (ratio > 1) {
          this.#violation ??= {
            ...this.#locate(parameter, name, i),
            got,
            interval: { ...interval },
            errorOverBound: ratio,
          };
        }
      }
    }
  }

  #locate(parameter: string, output: string, element: number): ValueLocation {
    return { rule: this.#label, step: this.optimizer.iterations, parameter, output, element };
  }

  /** The result of the f32 reference for the same values. */
  #reference(update: Update, before: Snapshot): Snapshot {
    const tensors = [update.parameter, ...update.slots];
    const names = ["p", ...this.#slots];
    names.forEach((name, i) => {
      tensors[i].write(before[name]);
    });
    this.#kernel.run([update], 1);
    return Object.fromEntries(
      names.map((name, i) => [name, (tensors[i] as unknown as { view(): Values }).view()]),
    );
  }
}
