import {
  unshared,
  type Dimensions,
  type ElementOp,
  type Extent,
  type Node,
  type ReduceOp,
  type Variant,
} from "@gradstep/core";
import { countOf, dimensionsOf, hasRowsOf, reducedIndex } from "@gradstep/core/internal";
import { literal, stored } from "./bounds.js";
import type { ErrorModel } from "./error-model.js";
import { anything, certainInput, isAnything, operand, point, type Interval } from "./interval.js";
import { operations } from "./interval-operations.js";
import { newtonSchulzBound, type Coefficient } from "./newton-schulz-bound.js";
import { depthOf, depthOfPairs, reductionBound } from "./reduction-bound.js";

/** One tensor of a step: its arrays before the step, and its scalars. */
export interface BoundedTensor {
  readonly shape: readonly number[];
  /** `p`, `g` and the slots, by name. */
  readonly arrays: Readonly<Record<string, ArrayLike<number>>>;
  /** The possible values of the gradient, if they are not certain. */
  readonly gradient?: readonly Interval[];
  /** Rounded to f32, by name. */
  readonly scalars: Readonly<Record<string, number>>;
  /** Not 0 for rows of the first dimension that take part in the step; all do if left out. */
  readonly rows?: ArrayLike<number>;
}

/** The tensors that one rule updates in a step. */
export interface BoundedRun {
  readonly variant: Variant;
  readonly tensors: readonly BoundedTensor[];
}

/** The possible values of an array or a node in one tensor, by index. */
type Values = readonly Interval[];

/**
 * The possible results of programs with operations on tensors, for all tensors of a step together: as `Bounds`, node by
 * node over whole tensors. It knows nothing of passes: whether a backend stores a value or computes it again is within
 * the errors of its operations.
 *
 * Runs that are given together share their reductions over all tensors, where these compute the same from parameters and
 * gradients.
 *
 * @returns by run, tensor and name of the output. Those of the extent `all` are the same in all tensors of a run.
 */
export function tensorBounds(
  runs: readonly BoundedRun[],
  model: ErrorModel,
): readonly (readonly Readonly<Record<string, Values>>[])[] {
  const all: RunBounds[] = runs.map((run) => new RunBounds(run, model, () => all));
  return all.map((run) => run.outputs());
}

class RunBounds {
  readonly #run: BoundedRun;
  readonly #model: ErrorModel;
  /** All runs of the step. */
  readonly #runs: () => readonly RunBounds[];
  /** What is known so far, by tensor and node. */
  readonly #known: Values[][];
  readonly #keys: readonly (string | undefined)[];
  readonly #dimensions: readonly Dimensions[];

  constructor(run: BoundedRun, model: ErrorModel, runs: () => readonly RunBounds[]) {
    this.#run = run;
    this.#model = model;
    this.#runs = runs;
    this.#known = run.tensors.map(() => []);
    this.#keys = keysOf(run.variant);
    this.#dimensions = run.tensors.map(({ shape }) => dimensionsOf(shape, run.variant.matrices));
  }

  outputs(): readonly Readonly<Record<string, Values>>[] {
    const { variant, tensors } = this.#run;
    const extents = new Map<string, Extent>(
      variant.slots.map(({ name, extent }) => [name, extent]),
    );
    return tensors.map(({ arrays }, t) =>
      Object.fromEntries(
        variant.perElement.outputs.map(({ name, node }) => {
          const extent = extents.get(name) ?? "element";
          // A pass over all tensors has the scalars of the first.
          const from = extent === "all" ? 0 : t;
          const values = this.#valuesOf(from, node);
          const valueAt = (i: number): Interval =>
            this.#takesPart(t, extent, i)
              ? stored(values[this.#indexOf(t, extent, node, i)], this.#model)
              : point(arrays[name][i]);
          return [name, Array.from({ length: this.#count(t, extent) }, (_, i) => valueAt(i))];
        }),
      ),
    );
  }

  /** Where a node has the value that belongs to an index of an extent. */
  #indexOf(t: number, extent: Extent, node: number, index: number): number {
    const { nodes } = this.#run.variant.perElement;
    return reducedIndex(extent, nodes[node].extent, index, this.#dimensions[t]);
  }

  /** The number of values of an extent. */
  #count(t: number, extent: Extent): number {
    return countOf(extent, this.#dimensions[t]);
  }

  /** Whether a value belongs to a row that takes part in the step, or to no row. */
  #takesPart(t: number, extent: Extent, index: number): boolean {
    const { rows, shape } = this.#run.tensors[t];
    const { matrices } = this.#run.variant;
    if (rows === undefined || extent === "step" || extent === "all") return true;
    if (!hasRowsOf(extent, shape, matrices)) return true;
    return rows[Math.floor((index * rows.length) / this.#count(t, extent))] !== 0;
  }

  #valuesOf(t: number, node: number): Values {
    this.#known[t][node] ??= this.#evaluate(t, node);
    return this.#known[t][node];
  }

  #evaluate(t: number, index: number): Values {
    const node = this.#run.variant.perElement.nodes[index];
    const { arrays, gradient, scalars } = this.#run.tensors[t];
    const { op, operands, extent, name, value } = node;
    if (op === "number") return [literal(value)];
    if (op === "input" && name === "g" && gradient !== undefined) return gradient;
    if (op === "input")
      return extent === "step"
        ? [certainInput(scalars[name], this.#model)]
        : Array.from(arrays[name], (one) => certainInput(one, this.#model));
    if (op === "newtonSchulz") return this.#newtonSchulz(t, node);
    if (op === "count") return this.#countsOf(t, node);
    if (op === "sum" || op === "maximum")
      return extent === "all" ? [this.#reduceAll(index)] : this.#reduce(t, node);
    const at = operands.map((one) => {
      const values = this.#valuesOf(t, one);
      return (i: number): Interval => values[this.#indexOf(t, extent, one, i)];
    });
    const [a, b, c] = at;
    const apply = operations[op as ElementOp];
    const model = this.#model;
    return Array.from({ length: this.#count(t, extent) }, (_, i) => {
      if (c !== undefined) return apply(model, a(i), operand(b(i), model), operand(c(i), model));
      const first = operand(a(i), model);
      return b === undefined ? apply(model, first) : apply(model, first, operand(b(i), model));
    });
  }

  /** The number of values of one extent in each of another. */
  #countsOf(t: number, { name, extent }: Node): Values {
    const of = name as Extent;
    const counts = Array<number>(this.#count(t, extent)).fill(0);
    for (const [k, dimensions] of this.#dimensions.entries())
      if (k === t || extent === "all")
        for (let i = 0; i < this.#count(k, of); i += 1)
          if (this.#takesPart(k, of, i)) counts[reducedIndex(of, extent, i, dimensions)] += 1;
    return counts.map(literal);
  }

  #reduce(t: number, { op, operands, extent }: Node): Values {
    const [operandNode] = operands;
    const { extent: of } = this.#run.variant.perElement.nodes[operandNode];
    const groups = Array.from({ length: this.#count(t, extent) }, (): Interval[] => []);
    this.#valuesOf(t, operandNode).forEach((value, i) => {
      if (this.#takesPart(t, of, i))
        groups[reducedIndex(of, extent, i, this.#dimensions[t])].push(value);
    });
    const depth = depthOf(this.#count(t, of) / groups.length);
    return groups.map((values) => reductionBound(op as ReduceOp, values, depth, this.#model));
  }

  #reduceAll(index: number): Interval {
    const { op } = this.#run.variant.perElement.nodes[index];
    const key = this.#keys[index];
    const values = this.#runs().flatMap((run) => {
      const same = run === this ? index : key === undefined ? -1 : run.#keys.indexOf(key);
      if (same < 0) return [];
      const [operandNode] = run.#run.variant.perElement.nodes[same].operands;
      return run.#known.map((_, t) => run.#valuesOf(t, operandNode)[0]);
    });
    return reductionBound(op as ReduceOp, values, depthOfPairs(values.length), this.#model);
  }

  #newtonSchulz(t: number, { operands }: Node): Values {
    const [matrix, ...coefficients] = operands;
    const zero = point(0);
    // Rows that take no part count as 0.
    const values = this.#valuesOf(t, matrix).map((value, i) =>
      this.#takesPart(t, "element", i) ? value : zero,
    );
    const dimensions = this.#dimensions[t];
    const { matrices } = dimensions;
    const size = values.length / matrices;
    const exact = Float64Array.from(values, (one) => one.exact);
    const radius = Float64Array.from({ length: matrices }, (_, m) =>
      Math.sqrt(
        values.slice(m * size, (m + 1) * size).reduce((sum, one) => sum + deviation(one) ** 2, 0),
      ),
    );
    const given = coefficients.map((node): Coefficient => {
      const [one] = this.#valuesOf(t, node);
      return { exact: one.exact, error: deviation(one) };
    });
    const bound = newtonSchulzBound({ exact, radius }, dimensions, given, this.#model);
    return Array.from(bound.exact, (one, i) => {
      const error = bound.radius[Math.floor(i / size)];
      return Number.isFinite(error)
        ? { low: one - error, exact: one, high: one + error }
        : anything(one);
    });
  }
}

/** Per node: what it computes, if that depends on parameters and gradients alone. */
function keysOf({ perElement }: Variant): readonly (string | undefined)[] {
  const keys: (string | undefined)[] = [];
  for (const { op, operands, name, value } of perElement.nodes) {
    const parts = operands.map((one) => keys[one]);
    if (op === "input") keys.push(name === "p" || name === "g" ? name : undefined);
    else if (op === "number") keys.push(String(value));
    else
      keys.push(
        name === unshared || parts.includes(undefined)
          ? undefined
          : `${op}${name}(${parts.join()})`,
      );
  }
  return keys;
}

/** How far a value may be from the exact one. */
function deviation(interval: Interval): number {
  const { low, exact, high } = interval;
  if (isAnything(interval) || Number.isNaN(low)) return Infinity;
  return Math.max(exact - low, high - exact);
}
