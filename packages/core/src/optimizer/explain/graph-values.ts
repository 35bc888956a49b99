import type { Values } from "../../backend/memory.js";
import { countOf, reducedIndex, type Dimensions } from "../../language/dimensions.js";
import { bytecodeOf, type Bytecode } from "../../language/bytecode.js";
import { isTensorOp } from "../../language/expression.js";
import type { Extent } from "../../language/extent.js";
import { interpret } from "../../language/interpret.js";
import { newtonSchulz } from "../../language/newton-schulz.js";
import { roundingTo, type Precision, type Rounding } from "../../language/precision.js";
import { reductionKey } from "../../language/reduction-key.js";
import type { Draft } from "../../language/program.js";
import { joinRounded, reduce, type ReduceOp } from "../../language/summation.js";

/** A tensor of a step: its arrays and scalars by name. */
export interface TensorValues {
  readonly dimensions: Dimensions;
  readonly arrays: ReadonlyMap<string, Values>;
  readonly scalars: ReadonlyMap<string, number>;
  /** Whether a value of this extent is in a row that the step updates: others take no part in reductions. */
  readonly isSelected: (extent: Extent, index: number) => boolean;
}

/** The tensors of a step that one rule updates, and the nodes of the rule. */
export interface RuleValues {
  readonly drafts: readonly Draft[];
  readonly tensors: readonly TensorValues[];
}

/** One index of an extent. */
interface ExtentIndex {
  readonly extent: Extent;
  readonly index: number;
}

/** Evaluates the nodes of a rule for single elements; reductions, and what they need, for whole tensors. */
export class GraphValues {
  readonly #rule: RuleValues;
  /** All rules of the step, this one included. */
  readonly #rules: readonly RuleValues[];
  readonly #round: Rounding;
  readonly #precision: Precision;
  /** The results of operations on tensors, by tensor and node. */
  readonly #results = new Map<TensorValues, Map<number, Values>>();

  /** @param precision to which every operation is rounded */
  constructor(rule: RuleValues, rules: readonly RuleValues[], precision: Precision) {
    this.#rule = rule;
    this.#rules = rules;
    this.#precision = precision;
    this.#round = roundingTo(precision);
  }

  /** The values of all nodes for one element of a tensor. */
  at(tensor: TensorValues, index: number): Float64Array {
    const { drafts } = this.#rule;
    const values = new Float64Array(drafts.length);
    this.#load(values, tensor, { extent: "element", index });
    interpret(this.#bytecode(drafts.map((_, i) => i)), values, this.#precision);
    return values;
  }

  /** Sets the inputs for a position, and the results of operations on tensors, up to the node `last`. */
  #load(values: Float64Array, tensor: TensorValues, position: ExtentIndex, last = Infinity): void {
    this.#rule.drafts.forEach((draft, i) => {
      if (i > last) return;
      if (draft.op === "input") {
        const array = tensor.arrays.get(draft.name);
        values[i] =
          array === undefined
            ? this.#round(tensor.scalars.get(draft.name)!)
            : valueAt(position, array, draft.extent, tensor.dimensions);
      } else if (isTensorOp(draft.op)) {
        const result = this.#resultOf(tensor, i);
        values[i] = valueAt(position, result, draft.extent, tensor.dimensions);
      }
    });
  }

  #bytecode(nodes: readonly number[]): Bytecode {
    const included = new Set(nodes);
    const nodesOfAll = this.#rule.drafts.map((draft) => ({ ...draft, uses: 1 }));
    const program = { nodes: nodesOfAll, inputs: [], outputs: [] };
    return bytecodeOf(program as unknown as Parameters<typeof bytecodeOf>[0], (node) =>
      included.has(node),
    );
  }

  #resultOf(tensor: TensorValues, node: number): Values {
    const known = this.#results.get(tensor) ?? new Map<number, Values>();
    this.#results.set(tensor, known);
    let result = known.get(node);
    if (result === undefined) {
      result = this.#compute(tensor, node);
      known.set(node, result);
    }
    return result;
  }

  #compute(tensor: TensorValues, node: number): Values {
    const { op, operands, extent, name } = this.#rule.drafts[node];
    const { dimensions } = tensor;
    if (op === "count") return this.#count(tensor, name as Extent, extent);
    const [of] = operands;
    if (op === "newtonSchulz") {
      const result = new Float64Array(countOf("element", dimensions));
      const coefficients = operands.slice(1).map((one) => this.#valuesOf(tensor, one)[0]);
      newtonSchulz(this.#valuesOf(tensor, of), result, dimensions, coefficients, this.#round);
      return result;
    }
    if (extent === "all") return Float64Array.of(this.#reduceAll(node, of, op as ReduceOp));
    const from = this.#rule.drafts[of].extent;
    const values = this.#valuesOf(tensor, of);
    const positions = Array.from({ length: countOf(extent, dimensions) }, (): number[] => []);
    values.forEach((_, i) => positions[reducedIndex(from, extent, i, dimensions)].push(i));
    return Float64Array.from(positions, (indices) => {
      const valueAt = (k: number): number | undefined =>
        tensor.isSelected(from, indices[k]) ? values[indices[k]] : undefined;
      return reduce(op as ReduceOp, indices.length, valueAt, this.#precision);
    });
  }

  /** Over the tensors of all rules that have the same reduction, those of the first rule first. */
  #reduceAll(node: number, of: number, op: ReduceOp): number {
    const key = reductionKey(this.#rule.drafts, node);
    const values = this.#rules.flatMap((rule) => {
      if (rule === this.#rule) return rule.tensors.map((one) => this.#valuesOf(one, of)[0]);
      const same = rule.drafts.findIndex(
        ({ extent, op: other }, i) =>
          extent === "all" &&
          other === op &&
          key !== undefined &&
          reductionKey(rule.drafts, i) === key,
      );
      if (same < 0) return [];
      const others = new GraphValues(rule, [rule], this.#precision);
      return rule.tensors.map((one) => others.#valuesOf(one, rule.drafts[same].operands[0])[0]);
    });
    return joinRounded(op, values, this.#precision);
  }

  #count({ dimensions, isSelected }: TensorValues, of: Extent, per: Extent): Values {
    const counts = new Float64Array(countOf(per, dimensions));
    for (let i = 0; i < countOf(of, dimensions); i += 1)
      if (isSelected(of, i)) counts[reducedIndex(of, per, i, dimensions)] += 1;
    return counts.map(this.#round);
  }

  /** The values of a node for all indices of its extent, 0 in rows that are not selected. */
  #valuesOf(tensor: TensorValues, node: number): Values {
    const { drafts } = this.#rule;
    const { op, extent } = drafts[node];
    if (isTensorOp(op)) return this.#resultOf(tensor, node);
    const needed = new Set<number>();
    const visit = (one: number): void => {
      if (needed.has(one) || isTensorOp(drafts[one].op)) return;
      needed.add(one);
      for (const operand of drafts[one].operands) visit(operand);
    };
    visit(node);
    const bytecode = this.#bytecode([...needed]);
    const values = new Float64Array(drafts.length);
    return Float64Array.from({ length: countOf(extent, tensor.dimensions) }, (_, index) => {
      if (!tensor.isSelected(extent, index)) return 0;
      this.#load(values, tensor, { extent, index }, node);
      interpret(bytecode, values, this.#precision);
      return values[node];
    });
  }
}

/** The value of an array at a position. Arrays of a narrower extent than that of the position have none. */
function valueAt(
  { extent, index }: ExtentIndex,
  array: Values,
  of: Extent,
  dimensions: Dimensions,
): number {
  return array[reducedIndex(extent, of, index, dimensions)];
}
