import {
  countOf,
  reducedIndex,
  type Dimensions,
  type ElementOp,
  type Extent,
  type Node,
  type ReduceOp,
  type Variant,
} from "@gradstep/core";
import { literal, stored } from "./bounds.js";
import type { ErrorModel } from "./error-model.js";
import { anything, isAnything, operand, point, type Interval } from "./interval.js";
import { operations } from "./interval-operations.js";
import { newtonSchulzBound, type Coefficient } from "./newton-schulz-bound.js";
import { depthOf, depthOfPairs, reductionBound } from "./reduction-bound.js";

/** One tensor of a step: its arrays before the step, and its scalars. */
export interface BoundedTensor {
  readonly dimensions: Dimensions;
  /** `p`, `g` and the slots, by name. */
  readonly arrays: Readonly<Record<string, ArrayLike<number>>>;
  /** Rounded to f32, by name. */
  readonly scalars: Readonly<Record<string, number>>;
}

/** The possible values of a node in one tensor, by index. */
type Values = Interval[];

/**
 * The possible results of a program with operations on tensors, for all tensors of a step together: as `Bounds`, node by
 * node over whole tensors.
 */
export class TensorBounds {
  readonly #variant: Variant;
  readonly #model: ErrorModel;
  /** The extent of each array. */
  readonly #extents: ReadonlyMap<string, Extent>;

  constructor(variant: Variant, model: ErrorModel) {
    this.#variant = variant;
    this.#model = model;
    this.#extents = new Map<string, Extent>([
      ["p", "element"],
      ["g", "element"],
      ...variant.slots.map(({ name, extent }) => [name, extent] as const),
    ]);
  }

  /** The intervals of each output of each tensor, by name. Those of the extent `all` are the same in all tensors. */
  compute(tensors: readonly BoundedTensor[]): Readonly<Record<string, Values>>[] {
    const { nodes, outputs } = this.#variant.perElement;
    const found: Values[][] = tensors.map(() => []);
    for (const [i, node] of nodes.entries()) {
      if (node.extent === "all" && (node.op === "sum" || node.op === "maximum")) {
        const value = this.#reduceAll(node, tensors, found);
        for (const values of found) values[i] = [value];
      } else if (node.op === "count" && node.extent === "all") {
        const total = tensors.reduce(
          (sum, { dimensions }) => sum + countOf(node.name as Extent, dimensions),
          0,
        );
        for (const values of found) values[i] = [literal(total)];
      } else {
        tensors.forEach((tensor, t) => {
          found[t][i] = this.#evaluate(node, tensor, found[t]);
        });
      }
    }
    return tensors.map(({ dimensions }, t) =>
      Object.fromEntries(
        outputs.map(({ name, node }) => {
          const extent = this.#extents.get(name)!;
          // A pass over all tensors has the scalars of the first.
          const from = extent === "all" ? 0 : t;
          const { length } = { length: countOf(extent, dimensions) };
          return [
            name,
            Array.from({ length }, (_, i) =>
              stored(
                found[from][node][reducedIndex(extent, nodes[node].extent, i, dimensions)],
                this.#model,
              ),
            ),
          ];
        }),
      ),
    );
  }

  #evaluate(node: Node, tensor: BoundedTensor, found: readonly Values[]): Values {
    const { op, operands, extent, name, value } = node;
    const { dimensions, arrays, scalars } = tensor;
    if (op === "number") return [literal(value)];
    if (op === "input")
      return extent === "step"
        ? [this.#input(scalars[name])]
        : Array.from(arrays[name], (one) => this.#input(one));
    if (op === "newtonSchulz") return this.#newtonSchulz(node, tensor, found);
    if (op === "count") {
      const perResult = countOf(name as Extent, dimensions) / countOf(extent, dimensions);
      return Array.from({ length: countOf(extent, dimensions) }, () => literal(perResult));
    }
    if (op === "sum" || op === "maximum") return this.#reduce(node, tensor, found);
    const { nodes } = this.#variant.perElement;
    const at = (operandNode: number, index: number): Interval =>
      found[operandNode][reducedIndex(extent, nodes[operandNode].extent, index, dimensions)];
    const [a, b, c] = operands;
    const apply = operations[op as ElementOp];
    const model = this.#model;
    return Array.from({ length: countOf(extent, dimensions) }, (_, i) => {
      if (c !== undefined)
        return apply(model, at(a, i), operand(at(b, i), model), operand(at(c, i), model));
      const first = operand(at(a, i), model);
      return b === undefined ? apply(model, first) : apply(model, first, operand(at(b, i), model));
    });
  }

  /** If the model assumes that nothing is NaN or infinite, such a value may act as any. */
  #input(value: number): Interval {
    const isCertain = this.#model.keepsNonFinite || Number.isFinite(value);
    return isCertain ? point(value) : anything(value);
  }

  #reduce(
    { op, operands, extent }: Node,
    { dimensions }: BoundedTensor,
    found: readonly Values[],
  ): Values {
    const [of] = operands;
    const { extent: from } = this.#variant.perElement.nodes[of];
    const groups: Values[] = Array.from({ length: countOf(extent, dimensions) }, () => []);
    found[of].forEach((value, i) => groups[reducedIndex(from, extent, i, dimensions)].push(value));
    return groups.map((values) =>
      reductionBound(op as ReduceOp, values, depthOf(values.length), this.#model),
    );
  }

  #reduceAll(
    { op, operands: [of] }: Node,
    tensors: readonly BoundedTensor[],
    found: readonly (readonly Values[])[],
  ): Interval {
    const values = tensors.map((_, t) => found[t][of][0]);
    return reductionBound(op as ReduceOp, values, depthOfPairs(values.length), this.#model);
  }

  #newtonSchulz(
    { operands }: Node,
    { dimensions }: BoundedTensor,
    found: readonly Values[],
  ): Values {
    const [matrix, ...coefficients] = operands;
    const values = found[matrix];
    const { matrices } = dimensions;
    const size = values.length / matrices;
    const exact = Float64Array.from(values, (one) => one.exact);
    const radius = Float64Array.from({ length: matrices }, (_, m) =>
      Math.sqrt(
        values.slice(m * size, (m + 1) * size).reduce((sum, one) => sum + deviation(one) ** 2, 0),
      ),
    );
    const given = coefficients.map((node): Coefficient => {
      const [one] = found[node];
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

/** How far a value may be from the exact one. */
function deviation(interval: Interval): number {
  const { low, exact, high } = interval;
  if (isAnything(interval) || Number.isNaN(low)) return Infinity;
  return Math.max(exact - low, high - exact);
}
