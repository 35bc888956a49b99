import {
  createOptimizer,
  type GroupOptions,
  type Kernel,
  type Optimizer,
  type OptimizerSpec,
  type OptimizerState,
  type Tensor,
  type Update,
  type Values,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { Bounds, errorOverBound } from "./bounds/bounds.js";
import { isAnything, type Interval } from "./bounds/interval.js";
import { roundToNearest, type ErrorModel } from "./bounds/model.js";

/** The values of one parameter: `p` and its slots, by name. */
export type Snapshot = Readonly<Record<string, Values>>;

/** One value outside its bound. */
export interface Violation {
  readonly rule: string;
  readonly parameter: string;
  /** `p`, or the name of a slot. */
  readonly output: string;
  readonly element: number;
  readonly got: number;
  readonly interval: Interval;
  /** More than 1; Infinity for a wrong NaN or infinity. */
  readonly errorOverBound: number;
}

/** What a judge found in one step, or in many. */
export interface Tally {
  /** Updated elements, over all outputs. */
  elements: number;
  /** Those of them for which the bound excludes nothing. */
  unbounded: number;
  worstErrorOverBound: number;
  /** Those whose bits are not the f32 reference's. */
  differingBits: number;
}

/** Nothing found yet. */
export function emptyTally(): Tally {
  return { elements: 0, unbounded: 0, worstErrorOverBound: 0, differingBits: 0 };
}

/**
 * Judges a backend step by step: from the backend's own values before a step, what may come out of it.
 *
 * It holds an optimizer of its own, so that the scalars of each step are computed independently of the judged one: set
 * hyperparameters and restore states in both.
 */
export class Judge {
  /** Has the judged optimizer's hyperparameters and step number; its values are of no meaning. */
  readonly optimizer: Optimizer;
  readonly #parameters: Readonly<Record<string, Tensor>>;
  #updates: readonly Update[] = [];
  readonly #kernel: Kernel;
  readonly #bounds: Bounds;
  readonly #slots: readonly string[];
  readonly #label: string;
  readonly #scalars: readonly { readonly node: number; readonly position: number }[];
  #first: Violation | undefined;

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

  /** The first violation of the last step that was judged. */
  get violation(): Violation | undefined {
    return this.#first;
  }

  /**
   * Judges one step of all parameters that have a gradient.
   *
   * @param before the judged backend's values, by parameter
   * @param gradients what it was given
   * @param after its values now
   * @param tally to which the findings are added
   */
  step(
    before: Readonly<Record<string, Snapshot>>,
    gradients: Readonly<Record<string, Float32Array>>,
    after: Readonly<Record<string, Snapshot>>,
    tally: Tally,
  ): void {
    this.#first = undefined;
    this.optimizer.step(gradients);
    for (const update of this.#updates) {
      const name = Object.keys(this.#parameters).find(
        (one) => this.#parameters[one] === update.parameter,
      )!;
      this.#judge(name, update, before[name], gradients[name], after[name], tally);
    }
  }

  #judge(
    parameter: string,
    update: Update,
    before: Snapshot,
    gradient: Float32Array,
    after: Snapshot,
    tally: Tally,
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
        tally.elements += 1;
        const wanted = expected[name][i];
        if (!Object.is(got, wanted)) tally.differingBits += 1;
        if (isAnything(interval)) {
          tally.unbounded += 1;
          continue;
        }
        const ratio = errorOverBound(got, interval);
        if (ratio > tally.worstErrorOverBound) tally.worstErrorOverBound = ratio;
        if (ratio > 1) {
          this.#first ??= {
            rule: this.#label,
            parameter,
            output: name,
            element: i,
            got,
            interval: { ...interval },
            errorOverBound: ratio,
          };
        }
      }
    }
  }

  /** What the f32 reference makes of the same values. */
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

/**
 * The judged optimizer's values at this moment, in the form that a judge takes.
 */
export async function snapshot(
  optimizer: { state(): Promise<OptimizerState> },
  parameters: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Snapshot>> {
  const names = Object.keys(parameters);
  const [state, ...values] = await Promise.all([
    optimizer.state(),
    ...names.map((name) => parameters[name].read()),
  ]);
  return Object.fromEntries(names.map((name, i) => [name, { ...state.slots[name], p: values[i] }]));
}

/** A violation as a person reads it. */
export function describeViolation(violation: Violation): string {
  const { rule, parameter, output, element, got, interval, errorOverBound: ratio } = violation;
  return (
    `${rule}: ${output} of ${parameter}[${element}] is ${got}; expected ${interval.exact}, ` +
    `or between ${interval.low} and ${interval.high} (error/bound ${ratio.toPrecision(4)})`
  );
}
